import type { Engine } from "../../../engine/runtime/engine.js";
import { sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { AttackedModel, Goal } from "../attacked-model.js";
import type { AttackBatch, AttackHooks } from "../batch.js";
import type { CompiledAttack } from "../definition.js";
import { eightBit } from "../eight-bit.js";
import { AttackError } from "../error.js";
import { type CompiledEvaluation, compileEvaluation } from "../evaluation.js";
import type { NormName } from "../lengths.js";
import { lengths } from "../lengths.js";
import { type CompiledObjective, compileObjective, type Objective } from "../objective.js";
import type { AttackOutcome, Judgement, StepRecord } from "../outcome.js";

/** What a search for the smallest perturbation is told. */
export interface Quest {
  /** What is made small. */
  readonly norm: NormName;
  /** Beyond it an image counts as not broken. */
  readonly epsilon?: number | undefined;
  /** On the 8-bit grid every point is looked at as a file can hold it, and what is kept is that. */
  readonly grid: "continuous" | "8-bit";
  /** Where every pixel has a class: share of the correct pixels that must be lost (towards a target: of all that must show it). */
  readonly share: number;
  /** What each sample's search lowers. */
  readonly objective: Objective;
  readonly search: (search: Search) => Promise<void>;
}

/** What a point showed: for each sample the objective, its gradient, and whether the prediction is as the attacker wants it. */
export interface Look {
  readonly value: Float32Array;
  readonly gradient: Float32Array;
  readonly won: readonly boolean[];
  /** Canonical predictions, [B, K, ...]. */
  readonly prediction: Tensor<"float32">;
}

/** Compiles a search for the smallest perturbation on a model with one image for each sample. */
export async function compileSmallest(engine: Engine, model: AttackedModel, quest: Quest): Promise<CompiledAttack> {
  const [role, ...more] = Object.keys(model.predictor.images);
  if (role === undefined || more.length > 0)
    throw new AttackError(`A smallest perturbation is one of a single image, and the model takes ${more.length + 1}.`);
  const evaluation = await compileEvaluation(engine, model);
  const objective = await compileObjective(engine, model, quest.objective);
  return {
    ...evaluation,
    async run(batch, hooks = {}) {
      const clean = await evaluation.evaluate(batch, batch.images);
      const search = new Search({ evaluation, objective, model, quest, role, batch, hooks, clean });
      await quest.search(search);
      return search.outcome();
    },
    dispose() {
      evaluation.dispose();
      objective.dispose();
    },
  };
}

interface Given {
  readonly evaluation: CompiledEvaluation;
  readonly objective: CompiledObjective;
  readonly model: AttackedModel;
  readonly quest: Quest;
  readonly role: string;
  readonly batch: AttackBatch;
  readonly hooks: AttackHooks;
  readonly clean: Judgement;
}

/** One batch on its way: points are flat, sample after sample, and of those that were looked at the nearest that won is kept for each sample. */
export class Search {
  /** Samples. */
  readonly count: number;
  /** Numbers in an image. */
  readonly size: number;
  readonly clean: Float32Array;
  /** Whether the clean image is wrong (or shows the target) already: nothing is left to find. */
  readonly wonAtFirst: readonly boolean[];
  /** Size of the smallest perturbation so far; infinite where there is none. */
  readonly radius: Float64Array;
  readonly best: Float32Array;
  #steps: StepRecord[] = [];
  #round = 0;
  /** Room for the perturbation of one sample. */
  readonly #delta: Float64Array;
  readonly #due: readonly number[];

  constructor(private readonly given: Given) {
    const image = given.batch.images[given.role]!;
    this.count = image.shape[0]!;
    this.size = sizeOf(image.shape.slice(1));
    this.clean = image.data;
    this.best = image.data.slice();
    this.#delta = new Float64Array(this.size);
    this.#due = due(given);
    this.wonAtFirst = this.#won(given.clean.correct);
    this.radius = Float64Array.from(this.wonAtFirst, (won) => (won ? 0 : Number.POSITIVE_INFINITY));
  }

  get goal(): Goal {
    return this.given.model.goal ?? "untargeted";
  }

  /** The model on the clean images. */
  get before(): Judgement {
    return this.given.clean;
  }

  get batch(): AttackBatch {
    return this.given.batch;
  }

  /** The numbers of one sample; a view. */
  row<T extends Float32Array | Float64Array>(values: T, sample: number): T {
    return values.subarray(sample * this.size, (sample + 1) * this.size) as T;
  }

  /** Of one sample: 1 where a number may change, 0 where not. */
  region(sample: number): (i: number) => number {
    const { region } = this.given.batch;
    if (!region) return () => 1;
    const area = sizeOf(region.shape.slice(1));
    return (i) => region.data[sample * area + (i % area)]!;
  }

  /** Another search of the same batch (a restart, another constant): steps are counted and recorded anew. */
  begin(round: number): void {
    this.#round = round;
    this.#steps = [];
  }

  /**
   * Looks at a point, and keeps what won there.
   *
   * @param also what the objective is fed beside it.
   * @param as whether it counts as a step of its own, or as a further look in the one before.
   */
  async look(
    x: Float32Array,
    also: Readonly<Record<string, Tensor>> = {},
    as: "a step" | "the step before" = "a step",
  ): Promise<Look> {
    const { batch, objective, role, hooks } = this.given;
    hooks.signal?.throwIfAborted();
    const seen = this.#seen(x);
    const found = await objective.at(batch, this.#images(seen), also, `${this.#round}/${this.#steps.length}`);
    const record: StepRecord = {
      step: this.#steps.length,
      restart: this.#round,
      loss: found.loss,
      objective: found.value,
      zeroGradient: found.zeroGradient,
      nanGradient: found.nanGradient,
    };
    if (as === "a step") {
      this.#steps.push(record);
      hooks.onStep?.(record);
    }
    const won = this.#won(found.correct);
    this.#offer(seen, won);
    return { value: found.value, gradient: found.gradient[role]!.data, won, prediction: found.prediction };
  }

  /** The same without a gradient. */
  async try(x: Float32Array): Promise<readonly boolean[]> {
    this.given.hooks.signal?.throwIfAborted();
    const seen = this.#seen(x);
    const won = this.#won((await this.given.evaluation.evaluate(this.given.batch, this.#images(seen))).correct);
    this.#offer(seen, won);
    return won;
  }

  /**
   * What was found: for each sample the nearest image that won, the clean one where there is none (or none within epsilon). Images at the very border may be
   * judged otherwise by another program, whose sums round otherwise; those are led a little further.
   */
  async outcome(): Promise<AttackOutcome> {
    const { evaluation, batch, quest, clean } = this.given;
    const x = this.best.slice();
    let judged = await evaluation.evaluate(batch, this.#images(x));
    for (const further of [1e-4, 1e-3, 1e-2]) {
      const lost = this.#won(judged.correct).map((won, b) => !won && Number.isFinite(this.radius[b]!));
      if (!lost.includes(true)) break;
      for (let b = 0; b < this.count; b++)
        if (lost[b]) {
          lead(this.row(x, b), this.row(this.clean, b), this.row(this.best, b), 1 + further);
          this.row(x, b).set(this.#seen(this.row(x, b), b));
        }
      judged = await evaluation.evaluate(batch, this.#images(x));
    }
    const won = this.#won(judged.correct);
    const radius = Float32Array.from({ length: this.count }, (_, b) => {
      if (this.wonAtFirst[b]) return 0;
      const own = this.#distance(x, b);
      return won[b] && Number.isFinite(this.radius[b]!) && own <= within(quest) ? own : Number.NaN;
    });
    for (let b = 0; b < this.count; b++) if (!(radius[b]! > 0)) this.row(x, b).set(this.row(this.clean, b));
    const images = this.#images(x);
    return { ...(await evaluation.evaluate(batch, images)), images, clean, steps: this.#steps, found: { radius } };
  }

  /** Points as the model sees them: of all samples, or of one. */
  #seen(x: Float32Array, sample?: number): Float32Array {
    const { grid, norm, epsilon = Number.POSITIVE_INFINITY } = this.given.quest;
    if (grid === "continuous") return x;
    if (sample !== undefined) return eightBit(x, this.row(this.clean, sample), norm, epsilon);
    const seen = new Float32Array(x.length);
    for (let b = 0; b < this.count; b++) this.row(seen, b).set(eightBit(this.row(x, b), this.row(this.clean, b), norm, epsilon));
    return seen;
  }

  #images(x: Float32Array): Record<string, Tensor<"float32">> {
    const { batch, role } = this.given;
    return { ...batch.images, [role]: tensor("float32", batch.images[role]!.shape, x) };
  }

  #won(correct: Float32Array): boolean[] {
    return Array.from(correct, (c, b) => (this.goal === "targeted" ? c >= this.#due[b]! : c <= this.#due[b]!));
  }

  #distance(x: Float32Array, sample: number): number {
    const [own, clean] = [this.row(x, sample), this.row(this.clean, sample)];
    for (let i = 0; i < own.length; i++) this.#delta[i] = own[i]! - clean[i]!;
    return lengths[this.given.quest.norm](this.#delta);
  }

  #offer(x: Float32Array, won: readonly boolean[]): void {
    for (let b = 0; b < this.count; b++) {
      if (!won[b] || this.wonAtFirst[b]) continue;
      const own = this.#distance(x, b);
      if (own >= this.radius[b]!) continue;
      this.radius[b] = own;
      this.row(this.best, b).set(this.row(x, b));
    }
  }
}

/** Rounding of a float32 image may take a perturbation of exactly epsilon beyond it by its last digits. */
const within = ({ epsilon = Number.POSITIVE_INFINITY }: Quest): number => epsilon * (1 + 1e-6);

/** `x` becomes clean + factor (best - clean), within [0, 1]. */
function lead(x: Float32Array, clean: Float32Array, best: Float32Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = Math.min(1, Math.max(0, clean[i]! + factor * (best[i]! - clean[i]!)));
}

/** The share of correct pixels at which a sample is won. Ignored pixels are in no numerator, and in every denominator. */
function due({ model, quest, batch, clean }: Given): number[] {
  const { task, ignore = [], goal = "untargeted" } = model;
  const share = task.extent === "image" ? 1 : quest.share;
  // (1e-6: shares of pixels are means in float32.)
  if (goal === "untargeted") return Array.from(clean.correct, (c) => (1 - share) * c + 1e-6);
  const { data } = batch.target;
  const n = data.length / clean.correct.length;
  return Array.from(clean.correct, (_, b) => {
    let counted = 0;
    for (let i = b * n; i < (b + 1) * n; i++) if (!ignore.includes(Number(data[i])) && batch.valid?.data[i] !== 0) counted++;
    return (share * counted) / n - 1e-6;
  });
}
