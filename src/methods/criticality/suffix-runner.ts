import { foldBatchNormalization } from "../../engine/compile/fold-batch-normalization.js";
import { lower } from "../../engine/compile/lower.js";
import type { DeviceTensor, Engine, Program } from "../../engine/runtime/engine.js";
import type { Layer } from "./layer.js";
import { type Cut, modelOfNodes, type Range } from "./pieces.js";

/** Values by name that stay with the engine. */
export type State = ReadonlyMap<string, DeviceTensor>;

/** Uploaded tensors that stand in for a layer's parameters. */
export type Weights = ReadonlyMap<string, DeviceTensor>;

/**
 * Runs a cut model from any piece to its end, with some pieces' weights given. Programs are compiled when first used; those of single pieces
 * are given back when the work has moved beyond their segment, so about thirty sessions exist at a time whatever the depth.
 */
export class SuffixRunner {
  readonly #constant = new Map<string, Promise<Program>>();
  readonly #open = new Map<number, Promise<Program>>();
  /** Trained weights of the pieces that are open. */
  readonly #trained = new Map<number, Promise<Map<string, DeviceTensor>>>();

  constructor(
    readonly engine: Engine,
    readonly cut: Cut,
    readonly layers: readonly Layer[],
  ) {}

  /**
   * The model's outputs, from the values that enter piece `from`.
   *
   * @param changed pieces that read the given weights; all others run with the trained ones.
   */
  async finish(
    entering: State,
    from: number,
    changed: ReadonlySet<number>,
    weights: Weights,
  ): Promise<Map<string, DeviceTensor>> {
    const { pieces, segments, alive } = this.cut;
    const state = new Map(entering);
    const own = new Set<DeviceTensor>();
    for (let piece = from; piece < pieces.length; ) {
      const segment = segments.find((s) => s.from <= piece && piece < s.to)!;
      const inSegment = [...changed].some((p) => p >= piece && p < segment.to);
      const next = piece === segment.from && !inSegment ? segment.to : piece + 1;
      const program = changed.has(piece) ? await this.#openPiece(piece) : await this.#constantPart({ from: piece, to: next });
      const given = changed.has(piece)
        ? new Map([...(await this.#trainedOf(piece)), ...weights])
        : new Map<string, DeviceTensor>();
      await step(program, state, given, own);
      prune(state, alive[next]!, own);
      piece = next;
    }
    return state;
  }

  /** The values that enter piece `from + 1`. Those that entered piece `from` are freed where no later piece needs them. */
  async advance(state: Map<string, DeviceTensor>, from: number): Promise<void> {
    const own = new Set(state.values());
    await step(await this.#constantPart({ from, to: from + 1 }), state, new Map(), own);
    prune(state, this.cut.alive[from + 1]!, own);
  }

  /** Gives back what only resets before piece `piece` needed. */
  async leave(piece: number): Promise<void> {
    const segment = this.cut.segments.find((s) => s.from <= piece && piece < s.to)!;
    for (const [key, program] of this.#constant) {
      const [from, to] = key.split(" ").map(Number) as [number, number];
      const whole = this.cut.segments.some((s) => s.from === from && s.to === to);
      if (from < (whole ? piece : segment.from)) {
        (await program).dispose();
        this.#constant.delete(key);
      }
    }
    for (const p of [...this.#open.keys()]) if (p < piece) await this.#close(p);
  }

  async dispose(): Promise<void> {
    for (const program of this.#constant.values()) (await program).dispose();
    this.#constant.clear();
    for (const p of [...this.#open.keys()]) await this.#close(p);
  }

  async #close(piece: number): Promise<void> {
    (await this.#open.get(piece))?.dispose();
    this.#open.delete(piece);
    for (const t of (await this.#trained.get(piece))?.values() ?? []) t.dispose();
    this.#trained.delete(piece);
  }

  #constantPart(pieces: Range): Promise<Program> {
    const key = `${pieces.from} ${pieces.to}`;
    const known = this.#constant.get(key);
    if (known) return known;
    const part = modelOfNodes(this.cut.model, this.#nodes(pieces), this.cut.alive[pieces.to]!);
    const program = this.engine.compile(lower(foldBatchNormalization(part), this.engine.info.provider));
    this.#constant.set(key, program);
    return program;
  }

  #openPiece(piece: number): Promise<Program> {
    const known = this.#open.get(piece);
    if (known) return known;
    const asInputs = new Set(this.#parametersOf(piece).map((p) => p.name));
    const part = modelOfNodes(this.cut.model, this.cut.pieces[piece]!, this.cut.alive[piece + 1]!, asInputs);
    const program = this.engine.compile(lower(part, this.engine.info.provider));
    this.#open.set(piece, program);
    return program;
  }

  #trainedOf(piece: number): Promise<Map<string, DeviceTensor>> {
    const known = this.#trained.get(piece);
    if (known) return known;
    const uploaded = Promise.all(
      this.#parametersOf(piece).map(async ({ name, trained }) => [name, await this.engine.upload(trained)] as const),
    ).then((entries) => new Map(entries));
    this.#trained.set(piece, uploaded);
    return uploaded;
  }

  #parametersOf(piece: number) {
    return this.layers.flatMap((layer, i) => (this.cut.piecesOf[i]!.includes(piece) ? layer.parameters : []));
  }

  #nodes({ from, to }: Range): Range {
    return { from: this.cut.pieces[from]!.from, to: this.cut.pieces[to - 1]!.to };
  }
}

/** Runs a program on what it reads of the state and adds what it yields. */
async function step(program: Program, state: Map<string, DeviceTensor>, given: Weights, own: Set<DeviceTensor>): Promise<void> {
  const feeds = Object.fromEntries(program.inputs.map(({ name }) => [name, given.get(name) ?? state.get(name)!]));
  const names = program.outputs.map((o) => o.name);
  const results = await program.run(feeds, { keep: names });
  for (const name of names) {
    state.set(name, results[name]!);
    own.add(results[name]!);
  }
}

/** Forgets what is not alive any more, and frees it where it is our own. */
function prune(state: Map<string, DeviceTensor>, alive: ReadonlySet<string>, own: Set<DeviceTensor>): void {
  for (const [name, value] of state) {
    if (alive.has(name)) continue;
    state.delete(name);
    if (own.delete(value)) value.dispose();
  }
}
