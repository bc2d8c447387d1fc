import { lower } from "../../engine/compile/lower.js";
import type { Graph } from "../../engine/graph/graph.js";
import type { DeviceTensor, Engine, Feeds, Program, RunOptions } from "../../engine/runtime/engine.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { addTile, coreMask, cutTile, putCore } from "../../vision/tile-pixels.js";
import { type TilePlace, tilePlaces } from "../../vision/tiling.js";
import type { Attack } from "./attack.js";
import { AttackError } from "./error.js";
import { lowered } from "./lowered.js";
import {
  type AttackSite,
  advanceGraph,
  evaluationGraph,
  imagesOf,
  perturbedRoles,
  predictionGraph,
  type TiledImages,
  tileGradientGraph,
} from "./step-graph.js";

// Programs for whole images made of programs for tiles. The loss is a sum over pixels, each predicted by one tile; so its gradient is the sum of
// the tiles' gradients, each with respect to all that the tile sees, added up where tiles overlap. Memory is that of one tile (of each image of
// the batch), whatever the size of the images; the result is that of one graph with all tiles (`tiled`), up to the order of the sums.

/** What the loop asks of a program. */
export type Runnable = Pick<Program, "run" | "dispose">;

export type TiledSite = AttackSite & { readonly tiled: TiledImages };

/** Judges images against a target, or predicts alone. */
export interface Evaluation extends Runnable {
  predict(images: Readonly<Record<string, Tensor>>): Promise<Tensor<"float32">>;
}

/** Zeros for the inputs of a program that are no images: what a prediction does not depend on. */
export const blankTarget = ({ inputs }: Program, { predictor }: AttackSite): Record<string, Tensor> =>
  Object.fromEntries(
    inputs
      .filter(({ name }) => !(name in predictor.images))
      .map(({ name, type, shape }) => [name, tensor(type, shape as number[])]),
  );

/** The step and evaluation of an attack on images that are predicted tile by tile. */
export async function tileByTile(engine: Engine, attack: Attack, site: TiledSite) {
  if (site.transform)
    throw new AttackError(`Transform ${site.transform.name} changes whole images; tiles one by one cannot follow it.`);
  const compile = (graph: Graph) => engine.compile(lower(graph, engine.info.provider));
  const gradient = await engine.compile(lowered(tileGradientGraph(attack, site), engine, site));
  const advance = await compile(advanceGraph(attack, site));
  const evaluation = await compile(evaluationGraph(attack, site));
  return {
    step: new TiledStep(engine, site, gradient, advance),
    evaluation: new TiledEvaluation(site, evaluation),
  };
}

/** The prediction alone: inputs `<role>` whole, output `prediction` whole. */
export async function predictTileByTile(engine: Engine, site: TiledSite): Promise<Runnable> {
  return new TiledEvaluation(site, await engine.compile(lower(predictionGraph(site), engine.info.provider)));
}

type Outputs<Kept extends string> = Record<string, Tensor> & Record<Kept, DeviceTensor>;

class TiledStep implements Runnable {
  readonly #copies = new WeakMap<object, Tensor>();

  constructor(
    private readonly engine: Engine,
    private readonly site: TiledSite,
    private readonly gradient: Program,
    private readonly advance: Program,
  ) {}

  async run<const Kept extends string = never>(feeds: Feeds, { keep = [], only = [] }: RunOptions<Kept> = {}) {
    const { site, gradient, advance } = this;
    const images = imagesOf(site);
    const [batch] = Object.values(images)[0]!;
    const whole: Record<string, Tensor> = {};
    for (const { name } of gradient.inputs)
      if (name !== "progress" && feeds[name]) whole[name] = await this.#onHost(name, feeds[name]);
    const roles = perturbedRoles(site);
    const slopes = Object.fromEntries(roles.map((role) => [`gradient.${role}`, tensor("float32", images[role]!)]));
    const sums = { objective: new Sum(batch!), loss: new Sum(batch!), remaining: new Sum(batch!) };
    const weight = only.includes("weight") ? tensor("float32", [batch!, site.tiled.height, site.tiled.width]) : undefined;
    const wanted = [...Object.keys(slopes), ...Object.keys(sums), ...(weight ? ["weight"] : [])];
    await eachTile(site, whole, async (tile, place, share) => {
      const found = await gradient.run({ ...tile, progress: feeds.progress! }, { only: wanted });
      for (const [name, slope] of Object.entries(slopes))
        addTile(slope, found[name] as Tensor<"float32">, place, site.tiled.tiling, share);
      for (const [name, sum] of Object.entries(sums)) sum.add(found[name]!, share);
      if (weight) putCore(weight, found.weight as Tensor<"float32">, place);
    });
    const known: Record<string, Tensor> = { ...slopes, objective: sums.objective.value(), remaining: sums.remaining.value() };
    const own: Record<string, Tensor> = {
      ...slopes,
      objective: known.objective!,
      loss: sums.loss.value(),
      ...(weight && { weight }),
    };
    const rest = await advance.run(Object.fromEntries(advance.inputs.map(({ name }) => [name, known[name] ?? feeds[name]!])), {
      keep,
      only: only.filter((name) => !(name in own)),
    });
    return { ...own, ...rest } as Outputs<Kept>;
  }

  dispose(): void {
    this.gradient.dispose();
    this.advance.dispose();
  }

  /** All but the iterates are the same tensors at every step, and are copied once. */
  async #onHost(name: string, t: Tensor | DeviceTensor): Promise<Tensor> {
    if (t.data !== undefined) return t as Tensor;
    const copy = this.#copies.get(t) ?? (await this.engine.download(t as DeviceTensor));
    if (!name.startsWith("x.")) this.#copies.set(t, copy);
    return copy;
  }
}

/** Prediction, and where the program has them loss and share of correct pixels, of whole images. */
class TiledEvaluation implements Evaluation {
  constructor(
    private readonly site: TiledSite,
    private readonly program: Program,
  ) {}

  async predict(images: Readonly<Record<string, Tensor>>): Promise<Tensor<"float32">> {
    const found: Record<string, Tensor> = await this.#run(images, blankTarget(this.program, this.site));
    return found.prediction as Tensor<"float32">;
  }

  run<const Kept extends string = never>(feeds: Feeds): Promise<Outputs<Kept>> {
    return this.#run(feeds, {});
  }

  /** @param everywhere what each tile gets as it is. */
  async #run<Kept extends string>(feeds: Feeds, everywhere: Readonly<Record<string, Tensor>>): Promise<Outputs<Kept>> {
    const { site, program } = this;
    const { height, width } = site.tiled;
    const [batch] = Object.values(site.predictor.images)[0]!;
    const means = new Map(program.outputs.filter((o) => o.name !== "prediction").map((o) => [o.name, new Sum(batch!)]));
    let prediction: Tensor<"float32"> | undefined;
    await eachTile(site, feeds as Record<string, Tensor>, async ({ valid, ...tile }, place, share) => {
      const masked = program.inputs.some((i) => i.name === "valid");
      const found = await program.run({ ...everywhere, ...tile, ...(masked && { valid: valid! }) });
      const predicted = found.prediction as Tensor<"float32">;
      prediction ??= tensor("float32", [...predicted.shape.slice(0, -2), height, width]);
      putCore(prediction, predicted, place);
      for (const [name, sum] of means) sum.add(found[name]!, share);
    });
    return {
      prediction: prediction!,
      ...Object.fromEntries([...means].map(([name, sum]) => [name, sum.value()])),
    } as unknown as Outputs<Kept>;
  }

  dispose(): void {
    this.program.dispose();
  }
}

/** Calls `use` for each tile with its part of whole tensors [..., H, W], its core mask as `valid`, and the share of the images' pixels that a mean over the tile stands for. */
async function eachTile(
  { predictor, tiled: { tiling, height, width } }: TiledSite,
  { valid, ...whole }: Readonly<Record<string, Tensor>>,
  use: (tile: Record<string, Tensor>, place: TilePlace, share: number) => Promise<void>,
): Promise<void> {
  const [batch] = Object.values(predictor.images)[0]!;
  const share = (tiling.height * tiling.width) / (height * width);
  for (const place of tilePlaces({ height, width }, tiling)) {
    const tile = Object.fromEntries(Object.entries(whole).map(([name, t]) => [name, cutTile(t, place, tiling)]));
    await use({ ...tile, valid: coreMask(batch!, valid as Tensor<"float32"> | undefined, place, tiling) }, place, share);
  }
}

/** One number for each sample, in double precision until it is asked for. */
class Sum {
  readonly #values: Float64Array;

  constructor(batch: number) {
    this.#values = new Float64Array(batch);
  }

  add(t: Tensor, factor: number): void {
    for (let i = 0; i < this.#values.length; i++) this.#values[i]! += factor * Number(t.data[i]);
  }

  value(): Tensor<"float32"> {
    return tensor("float32", [this.#values.length], Float32Array.from(this.#values));
  }
}
