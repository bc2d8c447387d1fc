import type { Engine } from "../../../engine/runtime/engine.js";
import { Random } from "../../../engine/tensor/random.js";
import { sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { ProjectedAscent } from "../ascent/ascent.js";
import type { Goal } from "../attacked-model.js";
import { type AttackedModel, perturbedRoles } from "../attacked-model.js";
import type { AttackBatch, AttackHooks } from "../batch.js";
import type { CompiledAttack } from "../definition.js";
import { eightBit } from "../eight-bit.js";
import { AttackError } from "../error.js";
import type { NormName } from "../lengths.js";
import type { AttackOutcome, Judgement } from "../outcome.js";
import { chosenSamples, inParts } from "../packed/chosen-samples.js";
import { compilePacked } from "../packed/packed-evaluation.js";
import { cutToBox } from "./ball.js";
import type { Answer, Pictures, Queried, Question, Search } from "./search.js";

/** What runs on every sample: see `QuerySearch`. */
export interface QueryPlan {
  readonly name: string;
  readonly loss?: ProjectedAscent["loss"] | undefined;
  readonly queries: number;
  /** On the 8-bit grid the model sees candidates as files can hold them, while the search goes on from the points themselves. Probes stay floats. */
  readonly grid: "continuous" | "8-bit";
  readonly norm: NormName;
  readonly epsilon?: number | undefined;
  readonly search: (sample: Queried) => Search;
}

/**
 * Compiles an attack that sees predictions alone: of the model only its forward graph. The searches of a batch run side by side; in each round every one of
 * them puts its question, the pictures of all questions are packed into as many runs of the program as they fill, and searches that have won, or have
 * used up their queries, take no more part.
 */
export async function queried(engine: Engine, plan: QueryPlan, model: AttackedModel): Promise<CompiledAttack> {
  const evaluation = await compilePacked(engine, model, plan.loss);
  const { size } = evaluation;
  const { goal = "untargeted", task } = model;
  const roles = perturbedRoles(model);
  return {
    ...evaluation,
    async run(batch: AttackBatch, { signal, onStep }: AttackHooks = {}): Promise<AttackOutcome> {
      const clean = await evaluation.evaluate(batch, batch.images);
      const searches = batch.samples.map((_, b) => new Asking(plan, batch, b, roles, clean, goal, task.judgedBy));
      const quiet = new Float32Array(searches.length);
      const seen = roles.map((role) => tensor("float32", [size, ...batch.images[role]!.shape.slice(1)]));
      for (let round = 0; ; round++) {
        signal?.throwIfAborted();
        const asked = searches.flatMap((asking) => asking.question().map((pictures) => ({ asking, pictures })));
        if (asked.length === 0) break;
        for (const some of inParts(asked, size)) {
          const found = await evaluation.evaluate(...shown(batch, some, roles, seen));
          for (const [i, { asking, pictures }] of some.entries()) asking.take(pictures, found.loss[i]!, found.correct[i]!);
        }
        // Progress is shown, not recorded: there are thousands of rounds.
        if (onStep && round % 25 === 0) {
          const loss = Float32Array.from(searches, (s) => s.loss);
          onStep({ step: round, restart: 0, loss, objective: loss, zeroGradient: quiet, nanGradient: quiet });
        }
      }
      const images = { ...batch.images };
      for (const [i, role] of roles.entries()) {
        const best = tensor("float32", batch.images[role]!.shape);
        for (const [b, { best: pictures }] of searches.entries()) best.data.set(pictures[i]!, b * pictures[i]!.length);
        images[role] = best;
      }
      const queries = Float32Array.from(searches, (s) => s.queries);
      return { images, ...(await evaluation.evaluate(batch, images)), clean, steps: [], found: { queries } };
    },
  };
}

/** The search of one sample with what came of it so far. */
class Asking {
  best: Pictures;
  loss: number;
  queries = 0;

  readonly #clean: Pictures;
  readonly #region: Float32Array | undefined;
  readonly #search: Search;
  #question: Question | undefined;
  #answers: Answer[] = [];
  #correct: number;
  #won: boolean;

  constructor(
    private readonly plan: QueryPlan,
    batch: AttackBatch,
    private readonly sample: number,
    roles: readonly string[],
    { loss, correct }: Judgement,
    private readonly goal: Goal,
    private readonly judgedBy: "correct" | "loss",
  ) {
    const images = roles.map((role) => batch.images[role]!);
    const [channels, height, width] = images[0]!.shape.slice(1) as [number, number, number];
    const clean = images.map(({ data, shape }) => {
      const n = sizeOf(shape.slice(1));
      return data.slice(sample * n, (sample + 1) * n);
    });
    this.#region = batch.region?.data.subarray(sample * height * width, (sample + 1) * height * width);
    this.#clean = clean;
    this.best = clean;
    [this.loss, this.#correct] = [loss[sample]!, correct[sample]!];
    this.#won = this.#isWon(this.#correct);
    const random = new Random(batch.seed, `${batch.samples[sample]}/${plan.name}`);
    const judged = { objective: this.#objective(this.loss), won: this.#won };
    this.#search = plan.search({ clean, channels, height, width, judged, queries: plan.queries, random });
  }

  /** Where the search stands in its batch. */
  get place(): number {
    return this.sample;
  }

  /** The pictures that it asks of in this round; none where it has ended. */
  question(): readonly Pictures[] {
    if (this.#won || this.queries >= this.plan.queries) return [];
    const first = this.#question === undefined;
    const { value, done } = first ? this.#search.next([]) : this.#search.next(this.#answers);
    this.#answers = [];
    if (done) {
      this.#won = true;
      return [];
    }
    this.#question = value;
    if (value.ask.length === 0) throw new AttackError(`${this.plan.name} asked a question without pictures.`);
    const left = value.ask.slice(0, this.plan.queries - this.queries);
    for (const pictures of left) this.#confine(pictures);
    const { grid, norm, epsilon = Number.POSITIVE_INFINITY } = this.plan;
    if (grid === "continuous" || value.as === "probe") return left;
    return left.map((pictures) => pictures.map((picture, k) => eightBit(picture, this.#clean[k]!, norm, epsilon)));
  }

  take(pictures: Pictures, loss: number, correct: number): void {
    // What is asked beside a candidate that has won is not asked any more.
    if (this.#won) return;
    this.queries++;
    const objective = this.#objective(loss);
    const won = this.#isWon(correct);
    this.#answers.push({ objective, won });
    if (this.#question!.as === "probe") return;
    const sign = this.goal === "untargeted" ? 1 : -1;
    const further = this.judgedBy === "correct" ? sign * (this.#correct - correct) : 0;
    if (won || further > 0 || (further === 0 && objective > this.#objective(this.loss)))
      [this.best, this.loss, this.#correct] = [pictures.map((p) => p.slice()), loss, correct];
    this.#won = won;
  }

  /** Into [0, 1], and outside the region back to the clean picture. */
  #confine(pictures: Pictures): void {
    const region = this.#region;
    for (const [k, picture] of pictures.entries()) {
      cutToBox(picture);
      if (!region) continue;
      const clean = this.#clean[k]!;
      for (let i = 0; i < picture.length; i++) if (region[i % region.length] === 0) picture[i] = clean[i]!;
    }
  }

  #objective(loss: number): number {
    // A loss that is not a number is no success.
    if (Number.isNaN(loss)) return Number.NEGATIVE_INFINITY;
    return this.goal === "untargeted" ? loss : -loss;
  }

  #isWon(correct: number): boolean {
    return this.judgedBy === "correct" && correct === (this.goal === "untargeted" ? 0 : 1);
  }
}

/** Pictures of several samples as one batch, written into `seen`: a program's feeds are copied, so one batch of pictures serves all rounds. */
function shown(
  { images, ...batch }: AttackBatch,
  asked: readonly { readonly asking: Asking; readonly pictures: Pictures }[],
  roles: readonly string[],
  seen: readonly Tensor<"float32">[],
): [AttackBatch, AttackBatch["images"]] {
  const places = asked.map(({ asking }) => asking.place);
  const others = Object.fromEntries(Object.entries(images).filter(([role]) => !roles.includes(role)));
  const some = chosenSamples({ ...batch, images: others }, places, seen[0]!.shape[0]!);
  for (const [k, { data }] of seen.entries())
    for (const [i, { pictures }] of asked.entries()) data.set(pictures[k]!, i * pictures[k]!.length);
  const all = { ...some.images, ...Object.fromEntries(roles.map((role, k) => [role, seen[k]!])) };
  return [{ ...some, images: all }, all];
}
