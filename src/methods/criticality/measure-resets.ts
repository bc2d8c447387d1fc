import type { Graph } from "../../engine/graph/graph.js";
import type { DeviceTensor, Engine, Program } from "../../engine/runtime/engine.js";
import type { Shape, Tensor } from "../../engine/tensor/tensor.js";
import { directionSums, type IntactPrediction } from "./constant-prediction.js";
import type { Layer } from "./layer.js";
import { type MeasureSums, measureModel, measuresOf, type PredictionKind } from "./measures.js";
import type { LayerReset } from "./resets.js";
import { cutModel } from "./segments.js";
import { SuffixRunner } from "./suffix-runner.js";

/** Images at the model's batch size, with what counts of their predictions. */
export interface ProbeBatch {
  /** By the model's input names. */
  readonly images: Readonly<Record<string, Tensor>>;
  /** float32 [B, ...pixels]: 1 where the image (dense: the pixel) counts, 0 where it does not. */
  readonly weight: Tensor<"float32">;
  /** int64 [B, ...pixels], negative where there is no label; for predictions over classes. */
  readonly labels?: Tensor<"int64">;
}

/** Layers that are reset at once, once. */
export interface ResetUnit {
  readonly layers: readonly Layer[];
  readonly trial: number;
}

export interface UnitOutcome<U extends ResetUnit = ResetUnit> {
  /** Absent: the intact network compared with itself, which gives its own accuracy. */
  readonly unit?: U;
  readonly sums: MeasureSums;
  /** Of the intact network, for predictions over classes: `directionSums`. */
  readonly directions?: readonly number[];
  /** Images, or valid pixels. */
  readonly count: number;
}

export interface ProbeContext {
  readonly engine: Engine;
  /** From `findLayers`, with preprocessing and postprocessing spliced in; its one output is the prediction in canonical form. */
  readonly graph: Graph;
  readonly layers: readonly Layer[];
  readonly kind: PredictionKind;
  /**
   * How often a layer is reset, times batches: where the model is cut depends on it, and with that the results in their last bits. So it is
   * that of the whole work, whatever part of it the given units are.
   */
  readonly runs: number;
}

/**
 * Resets units one after another, in the order in which their layers are applied, and measures how the predictions change. The model is never
 * written to: weights of a unit are inputs of the segment that they are in, and everything behind it runs as it is.
 *
 * Activations before a layer are computed once: they move through the network with the work. A unit whose new tensors equal the trained ones
 * bit for bit changes nothing and is not run; its differences are exactly 0.
 *
 * @param units in any order.
 * @param reset new tensors of a layer; called once for each layer of each unit.
 * @example
 * for await (const { unit, sums, count } of measureResets(context, batches, units, schemeSource("framework", 0)))
 *   console.log(unit?.layers[0]?.name, (sums.distance ?? 0) / count);
 */
export async function* measureResets<U extends ResetUnit>(
  { engine, graph, layers, kind, runs }: ProbeContext,
  batches: readonly ProbeBatch[],
  units: readonly U[],
  reset: (layer: Layer, trial: number) => LayerReset,
): AsyncGenerator<UnitOutcome<U>> {
  const cut = cutModel(graph, layers, runs);
  const runner = new SuffixRunner(engine, cut, layers);
  const output = [...graph.outputs.values()][0]!;
  const comparison = await Comparison.make(engine, kind, output.shape);
  const segmentsOf = new Map(units.map((unit) => [unit, unit.layers.flatMap((l) => cut.segmentsOf[layers.indexOf(l)]!)]));
  const first = (unit: U) => Math.min(...segmentsOf.get(unit)!);
  const states: Map<string, DeviceTensor>[] = [];
  try {
    for (const batch of batches) {
      const state = new Map<string, DeviceTensor>();
      states.push(state);
      for (const { name } of graph.inputs) state.set(name, await engine.upload(batch.images[name]!));
      const intact = await runner.finish(state, 0, 0, new Map());
      await comparison.add(batch, intact.get(output.name)!);
    }
    const directions = kind === "classes" && (await directionSums(engine, output.shape, comparison.intactPredictions()));
    const { sums } = await comparison.measure(comparison.intact);
    yield { sums, count: comparison.count, ...(directions && { directions }) };
    for (let segment = 0; segment < cut.segments.length; segment++) {
      await runner.leave(segment);
      for (const unit of units.filter((u) => first(u) === segment)) {
        const changed = new Map(unit.layers.flatMap((layer) => changedTensors(layer, reset(layer, unit.trial))));
        if (changed.size === 0) {
          yield { unit, ...(await comparison.measure(comparison.intact)), count: comparison.count };
          continue;
        }
        const weights = new Map<string, DeviceTensor>();
        try {
          for (const [name, t] of changed) weights.set(name, await engine.upload(t));
          const end = Math.max(...segmentsOf.get(unit)!) + 1;
          const sums = await comparison.measure(async (b) => {
            const state = await runner.finish(states[b]!, segment, end, weights);
            return state.get(output.name)!;
          });
          yield { unit, ...sums, count: comparison.count };
        } finally {
          for (const t of weights.values()) t.dispose();
        }
      }
      if (units.every((unit) => first(unit) <= segment)) return;
      for (const state of states) await runner.advance(state, segment);
    }
  } finally {
    for (const state of states) for (const t of state.values()) t.dispose();
    comparison.dispose();
    await runner.dispose();
  }
}

function changedTensors(layer: Layer, reset: LayerReset): [string, Tensor][] {
  return layer.parameters.flatMap(({ name, trained }): [string, Tensor][] => {
    const t = reset.get(name);
    return t && !sameBits(t, trained) ? [[name, t]] : [];
  });
}

const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function sameBits(a: Tensor, b: Tensor): boolean {
  const [x, y] = [bytesOf(a), bytesOf(b)];
  return x.length === y.length && x.every((v, i) => v === y[i]);
}

/** The intact network's predictions, and the program that compares others with them. */
class Comparison {
  readonly #batches: { readonly intact: DeviceTensor; readonly weight: DeviceTensor; readonly labels?: DeviceTensor }[] = [];
  count = 0;

  private constructor(
    readonly engine: Engine,
    readonly kind: PredictionKind,
    readonly program: Program,
  ) {}

  static async make(engine: Engine, kind: PredictionKind, shape: Shape): Promise<Comparison> {
    return new Comparison(engine, kind, await engine.compile(measureModel(kind, shape)));
  }

  async add({ weight, labels }: ProbeBatch, intact: DeviceTensor): Promise<void> {
    this.#batches.push({
      intact,
      weight: await this.engine.upload(weight),
      ...(labels && { labels: await this.engine.upload(labels) }),
    });
    this.count += weight.data.reduce((a, b) => a + b, 0);
  }

  *intactPredictions(): Generator<IntactPrediction> {
    for (const { intact, weight } of this.#batches) yield { prediction: intact, weight };
  }

  readonly intact = async (b: number): Promise<DeviceTensor> => this.#batches[b]!.intact;

  /** @param prediction of a batch; freed here unless it is the intact one. */
  async measure(prediction: (batch: number) => Promise<DeviceTensor>): Promise<{ readonly sums: MeasureSums }> {
    const names = measuresOf(this.kind);
    const sums = names.map(() => 0);
    for (const [b, { intact, ...feeds }] of this.#batches.entries()) {
      const reset = await prediction(b);
      const { sums: perSample } = await this.program.run({ intact, reset, ...feeds });
      if (reset !== intact) reset.dispose();
      const values = perSample!.data as Float32Array;
      const size = values.length / names.length;
      for (let m = 0; m < names.length; m++) for (let i = 0; i < size; i++) sums[m]! += values[m * size + i]!;
    }
    return { sums: Object.fromEntries(names.map((name, m) => [name, sums[m]!])) };
  }

  dispose(): void {
    for (const { intact, weight, labels } of this.#batches) for (const t of [intact, weight, labels]) t?.dispose();
    this.program.dispose();
  }
}
