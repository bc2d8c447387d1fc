import { foldBatchNormalization } from "../../engine/compile/fold-batch-normalization.js";
import { lower } from "../../engine/compile/lower.js";
import type { Graph, Value } from "../../engine/graph/graph.js";
import type { DeviceTensor, Engine, Program } from "../../engine/runtime/engine.js";
import type { Layer } from "./layer.js";
import { type Cut, graphOfNodes } from "./segments.js";

/** Values by name that stay with the engine. */
export type State = ReadonlyMap<string, DeviceTensor>;

/** Uploaded tensors that stand in for layers' parameters. */
export type Weights = ReadonlyMap<string, DeviceTensor>;

/** A segment with its layers' parameters as inputs, and the trained ones to feed it. */
interface OpenSegment {
  readonly program: Program;
  readonly trained: Weights;
}

/**
 * Runs a cut model from any segment to its end, with some layers' weights given. Two programs for each segment, compiled when first used and
 * given back when the work has moved beyond it: the segment with weights as inputs, and all that follows.
 */
export class SuffixRunner {
  readonly #open = new Map<number, Promise<OpenSegment>>();
  readonly #rest = new Map<number, Promise<Program>>();

  constructor(
    readonly engine: Engine,
    readonly cut: Cut,
    readonly layers: readonly Layer[],
  ) {}

  /**
   * The model's outputs, from the values that enter segment `from`.
   *
   * @param to the first segment from which on no weight is changed; segments before it run with `weights`, where given, and trained ones.
   */
  async finish(entering: State, from: number, to: number, weights: Weights): Promise<Map<string, DeviceTensor>> {
    const state = new Map(entering);
    const own = new Set<DeviceTensor>();
    for (let segment = from; segment < to; segment++) await this.#step(state, segment, weights, own);
    if (to < this.cut.segments.length) {
      await run(await this.#restFrom(to), state, new Map(), own);
      prune(state, this.cut.entering.at(-1)!, own);
    }
    return state;
  }

  /** The values that enter segment `from + 1`. Those that entered segment `from` are freed where nothing later needs them. */
  async advance(state: Map<string, DeviceTensor>, from: number): Promise<void> {
    await this.#step(state, from, new Map(), new Set(state.values()));
  }

  /** Gives back what only resets before segment `segment` needed. */
  async leave(segment: number): Promise<void> {
    for (const [s, open] of this.#open) {
      if (s >= segment) continue;
      const { program, trained } = await open;
      program.dispose();
      for (const t of trained.values()) t.dispose();
      this.#open.delete(s);
    }
    for (const [s, rest] of this.#rest) {
      if (s > segment) continue;
      (await rest).dispose();
      this.#rest.delete(s);
    }
  }

  async dispose(): Promise<void> {
    await this.leave(Number.POSITIVE_INFINITY);
  }

  async #step(state: Map<string, DeviceTensor>, segment: number, weights: Weights, own: Set<DeviceTensor>): Promise<void> {
    const { program, trained } = await this.#openAt(segment);
    await run(program, state, new Map([...trained, ...weights]), own);
    prune(state, this.cut.entering[segment + 1]!, own);
  }

  #restFrom(segment: number): Promise<Program> {
    const { nodes, segments, entering } = this.cut;
    return cached(this.#rest, segment, () => this.#compile(graphOfNodes(nodes.slice(segments[segment]!.from), entering.at(-1)!)));
  }

  #openAt(segment: number): Promise<OpenSegment> {
    const { nodes, segments, segmentsOf, entering } = this.cut;
    return cached(this.#open, segment, async () => {
      const parameters = this.layers.flatMap((layer, i) => (segmentsOf[i]!.includes(segment) ? layer.parameters : []));
      const names = new Set(parameters.map((p) => p.name));
      const { from, to } = segments[segment]!;
      const program = await this.#compile(graphOfNodes(nodes.slice(from, to), entering[segment + 1]!, names));
      const trained = new Map<string, DeviceTensor>();
      for (const p of parameters) trained.set(p.name, await this.engine.upload(p.trained));
      return { program, trained };
    });
  }

  #compile(part: Graph): Promise<Program> {
    return this.engine.compile(lower(foldBatchNormalization(part), this.engine.info.provider));
  }
}

function cached<T>(known: Map<number, Promise<T>>, key: number, make: () => Promise<T>): Promise<T> {
  const found = known.get(key);
  if (found) return found;
  const made = make();
  known.set(key, made);
  return made;
}

/** Runs a program on what it reads of the weights and the state, and adds to the state what it yields. */
async function run(program: Program, state: Map<string, DeviceTensor>, weights: Weights, own: Set<DeviceTensor>): Promise<void> {
  const feeds = Object.fromEntries(program.inputs.map(({ name }) => [name, weights.get(name) ?? state.get(name)!]));
  const names = program.outputs.map((o) => o.name);
  const results = await program.run(feeds, { keep: names });
  for (const name of names) {
    state.set(name, results[name]!);
    own.add(results[name]!);
  }
}

/** Forgets what no later segment needs, and frees it where it is our own. */
function prune(state: Map<string, DeviceTensor>, needed: ReadonlySet<Value>, own: Set<DeviceTensor>): void {
  const names = new Set([...needed].map((v) => v.name));
  for (const [name, value] of state) {
    if (names.has(name)) continue;
    state.delete(name);
    if (own.delete(value)) value.dispose();
  }
}
