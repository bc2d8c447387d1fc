import type { Engine } from "../../../engine/runtime/engine.js";
import { sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { PixelFunction } from "../../../vision/tasks/index.js";
import { type AttackedModel, perturbedRoles } from "../attacked-model.js";
import type { AttackBatch } from "../batch.js";
import type { CompiledAttack } from "../definition.js";
import { compileEvaluation } from "../evaluation.js";
import { lossOf } from "../evaluation-graph.js";
import { compileObjective } from "../objective.js";
import type { AttackOutcome, StepRecord } from "../outcome.js";
import { type Asking, type Evaluation, Lbfgs, usualOptions } from "./lbfgs.js";

export interface PcfaOptions {
  /** Bound of ‖δ‖₂ / √n over the n values of all images that may change. */
  readonly bound: number;
  /** What a unit by which the mean square exceeds the bound's costs. */
  readonly mu: number;
  readonly steps: number;
  readonly box: "change-of-variables" | "clipping";
  readonly frames: "disjoint" | "joint";
  readonly lineSearch: "none" | "strong-wolfe";
  readonly history: number;
  readonly loss?: string | PixelFunction | undefined;
}

/** Iterations of each of the optimizer's steps, as published. */
const iterations = 10;
/** Keeps artanh finite at 0 and 1, as published. */
const edge = 1e-7;

/** PCFA on one model, for one shape of batch: samples search side by side, each for itself. */
export async function compilePcfa(engine: Engine, options: PcfaOptions, model: AttackedModel): Promise<CompiledAttack> {
  const chosen = options.loss === undefined ? {} : { loss: options.loss };
  const lowered = lossOf(chosen, model.task);
  const objective = await compileObjective(engine, model, ({ prediction, target, options: pixel }) =>
    lowered(prediction, target, pixel),
  );
  const evaluation = await compileEvaluation(engine, model, options.loss);
  return {
    ...evaluation,
    async run(batch, { signal, onStep } = {}): Promise<AttackOutcome> {
      const roles = perturbedRoles(model);
      const samples = [...batch.samples.keys()];
      const searches = samples.map((b) => new Search(imagesIn(batch, roles, b), options));
      const running = searches.map((search) => search.run());
      const records: StepRecord[] = [];
      let asks = running.map((search) => search.next());
      let images = batch.images;
      while (asks.some(({ done }) => !done)) {
        signal?.throwIfAborted();
        images = worn(batch, roles, searches, asks, images);
        const found = await objective.at(batch, images, {}, String(records.length));
        asks = asks.map((ask, b) =>
          ask.done ? ask : running[b]!.next(searches[b]!.slope(found.value[b]!, found.gradient, roles, b)),
        );
        const { zeroGradient, nanGradient, value } = found;
        // A record for each of the optimizer's steps of the sample that is furthest.
        if (Math.max(...searches.map(({ steps }) => steps)) > records.length) {
          records.push({ step: records.length, restart: 0, loss: value, objective: value, zeroGradient, nanGradient });
          onStep?.(records.at(-1)!);
        }
      }
      const result = { ...batch.images };
      for (const role of roles) {
        const clean = batch.images[role]!;
        const n = sizeOf(clean.shape.slice(1));
        const data = clean.data.slice();
        for (const b of samples) data.set(searches[b]!.image(role, searches[b]!.best), b * n);
        result[role] = tensor("float32", clean.shape, data);
      }
      const [clean, judged] = [await evaluation.evaluate(batch, batch.images), await evaluation.evaluate(batch, result)];
      return {
        images: result,
        steps: records,
        clean,
        ...judged,
        found: {
          delta_2: Float32Array.from(searches, ({ delta }) => delta),
          "distance to the clean prediction": movedBy(clean.prediction, judged.prediction),
        },
      };
    },
    dispose() {
      objective.dispose();
      evaluation.dispose();
    },
  };
}

/** Images of one sample, by role. */
type Images = ReadonlyMap<string, Float32Array>;

function imagesIn(batch: AttackBatch, roles: readonly string[], b: number): Images {
  return new Map(
    roles.map((role) => {
      const { shape, data } = batch.images[role]!;
      const n = sizeOf(shape.slice(1));
      return [role, data.subarray(b * n, (b + 1) * n)];
    }),
  );
}

/** One sample's search. */
class Search {
  /** Of the points after each step that lie within the bound, and the clean image, the one of the smallest loss. */
  best: Float64Array;
  /** ‖δ‖₂ / √n of the best. */
  delta = 0;
  /** Of the optimizer, done. */
  steps = 0;
  readonly #start: Float64Array;
  #at: Float64Array;

  constructor(
    private readonly clean: Images,
    private readonly options: PcfaOptions,
  ) {
    this.#start = this.#first();
    this.#at = this.best = this.#start;
  }

  *run(): Asking<void> {
    const { steps, lineSearch, history, bound } = this.options;
    const optimizer = new Lbfgs(this.#start, {
      ...usualOptions,
      iterations,
      history,
      lineSearch: lineSearch === "none" ? "none" : "strong Wolfe",
    });
    yield this.#ask(this.#start);
    let lowest = this.#loss;
    for (let step = 0; step < steps; step++) {
      const asking = optimizer.step();
      for (let ask = asking.next(); !ask.done; ) ask = asking.next(yield this.#ask(ask.value));
      const point = optimizer.point;
      yield this.#ask(point);
      this.steps = step + 1;
      const size = this.#size(point);
      if (size > bound || this.#loss >= lowest) continue;
      [lowest, this.best, this.delta] = [this.#loss, point.slice(), size];
    }
  }

  /** What the attack lowers: the loss, and the penalty of a δ beyond the bound. */
  slope(value: number, gradients: Readonly<Record<string, Tensor<"float32">>>, roles: readonly string[], b: number): Evaluation {
    const { bound, mu } = this.options;
    this.#loss = value;
    const size = this.#size(this.#at);
    const excess = size * size - bound * bound;
    const n = [...this.clean.values()].reduce((total, { length }) => total + length, 0);
    const gradient = new Float64Array(this.#at.length);
    let offset = 0;
    for (const role of roles) {
      const clean = this.clean.get(role)!;
      const own = gradients[role]!.data.subarray(b * clean.length, (b + 1) * clean.length);
      for (let i = 0; i < clean.length; i++) {
        const v = this.options.frames === "joint" ? i : offset + i;
        const [x, derivative] = this.#pixel(role, i, this.#at[v]!);
        const pull = own[i]! + (excess > 0 ? (mu * 2 * (x - clean[i]!)) / n : 0);
        gradient[v]! += pull * derivative;
      }
      offset += clean.length;
    }
    return { value: value + mu * Math.max(0, excess), gradient };
  }

  /** The image that variables stand for, in [0, 1]. */
  image(role: string, variables: Float64Array = this.#at): Float32Array {
    let offset = 0;
    if (this.options.frames === "disjoint")
      for (const [other, { length }] of this.clean) {
        if (other === role) break;
        offset += length;
      }
    return this.clean
      .get(role)!
      .map((v, i) => (variables[offset + i] === this.#start[offset + i] ? v : this.#pixel(role, i, variables[offset + i]!)[0]));
  }

  #loss = Number.POSITIVE_INFINITY;

  #ask(point: Float64Array): Float64Array {
    this.#at = point;
    return point;
  }

  #first(): Float64Array {
    const { box, frames } = this.options;
    const all = [...this.clean.values()];
    if (frames === "joint") return new Float64Array(all[0]!.length);
    const start = all.flatMap((image) => [...image]);
    return Float64Array.from(start, (v) => (box === "clipping" ? v : Math.atanh(2 * (1 - edge) * v - (1 - edge))));
  }

  /** The value of a pixel, and what it changes with its variable. */
  #pixel(role: string, i: number, variable: number): readonly [x: number, derivative: number] {
    if (this.options.frames === "joint") {
      // δ is cut so that all images stay in [0, 1].
      const values = [...this.clean.values()].map((image) => image[i]!);
      const cut = Math.max(-Math.min(...values), Math.min(1 - Math.max(...values), variable));
      return [this.clean.get(role)![i]! + cut, cut === variable ? 1 : 0];
    }
    if (this.options.box === "clipping") return [Math.min(1, Math.max(0, variable)), variable >= 0 && variable <= 1 ? 1 : 0];
    const t = Math.tanh(variable);
    const scale = 0.5 / (1 - edge);
    return [Math.min(1, Math.max(0, scale * (t + 1 - edge))), scale * (1 - t * t)];
  }

  #size(variables: Float64Array): number {
    let [squares, n, offset] = [0, 0, 0];
    for (const [role, clean] of this.clean) {
      for (let i = 0; i < clean.length; i++) {
        const v = this.options.frames === "joint" ? i : offset + i;
        squares += (this.#pixel(role, i, variables[v]!)[0] - clean[i]!) ** 2;
      }
      n += clean.length;
      offset += clean.length;
    }
    return Math.sqrt(squares / n);
  }
}

/** The images that the searches ask about; those of a sample that is done stay. */
function worn(
  batch: AttackBatch,
  roles: readonly string[],
  searches: readonly Search[],
  asks: readonly IteratorResult<Float64Array, void>[],
  before: AttackBatch["images"],
): AttackBatch["images"] {
  const images = { ...batch.images };
  for (const role of roles) {
    const { shape, data } = before[role]!;
    const n = sizeOf(shape.slice(1));
    const next = data.slice();
    searches.forEach((search, b) => {
      if (!asks[b]!.done) next.set(search.image(role), b * n);
    });
    images[role] = tensor("float32", shape, next);
  }
  return images;
}

/** Mean over the pixels of the Euclidean distance over the channels: the average end-point error between two predictions, for each sample. */
function movedBy(a: Tensor<"float32">, b: Tensor<"float32">): Float32Array {
  const [batch, channels, ...place] = a.shape as [number, number, ...number[]];
  const area = sizeOf(place);
  return Float32Array.from({ length: batch }, (_, sample) => {
    let total = 0;
    for (let i = 0; i < area; i++) {
      let square = 0;
      for (let c = 0; c < channels; c++) {
        const at = (sample * channels + c) * area + i;
        square += (a.data[at]! - b.data[at]!) ** 2;
      }
      total += Math.sqrt(square);
    }
    return total / area;
  });
}
