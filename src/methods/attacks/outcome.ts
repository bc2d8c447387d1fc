import { sizeOf, type Tensor } from "../../engine/tensor/tensor.js";
import type { Task } from "../../vision/tasks/index.js";
import type { Goal } from "./attacked-model.js";
import type { Attack } from "./definition.js";
import { AttackError } from "./error.js";

/** What one step showed, for each sample of the batch. */
export interface StepRecord {
  readonly step: number;
  readonly restart: number;
  /** Mean unreduced loss at the iterate that the step started from. */
  readonly loss: Float32Array;
  /** The weighted loss that is differentiated. */
  readonly objective: Float32Array;
  /** Share of gradient elements that are exactly zero, or not a number. */
  readonly zeroGradient: Float32Array;
  readonly nanGradient: Float32Array;
}

/** What a model makes of images, for each sample: prediction, mean loss, share of correct pixels. */
export interface Judgement {
  readonly prediction: Tensor<"float32">;
  readonly loss: Float32Array;
  readonly correct: Float32Array;
}

/** What one member of an ensemble came to on the batch, by its own name. */
export interface MemberOutcome extends Judgement {
  readonly name: string;
}

export interface AttackOutcome extends Judgement {
  /** The adversarial images, inside [0, 1] and inside the ball where there is one. */
  readonly images: Readonly<Record<string, Tensor<"float32">>>;
  readonly clean: Judgement;
  /** Of the search that was kept for the sample, in order of the steps; losses after the last step are `loss`. Empty where there is no gradient. */
  readonly steps: readonly StepRecord[];
  /** Further numbers that the attack has to say, by what they are ("queries", "radius"), for each sample. */
  readonly found?: Readonly<Record<string, Float32Array>>;
  /** Where a patch hides pixels that have a prediction each: 1 there, [B, H, W]. They are in no score. */
  readonly hidden?: Tensor<"float32">;
  /** Where several attacks were run and of each sample one result was kept: what each of them came to, in their order. */
  readonly members?: readonly MemberOutcome[];
  /** Where several attacks take their turn: what is right after each of them, for each sample. */
  readonly after?: readonly TurnRecord[];
}

/** The share of correct pixels of each sample when an attack had its turn: of the worst image until then. */
export interface TurnRecord {
  readonly attack: string;
  readonly correct: Float32Array;
}

/**
 * The outcome as it is, where it has what everything after an attack relies on: attacks come from modules of other people too.
 *
 * @param images the clean images, [B, C, H, W].
 * @throws AttackError that names the attack and what is missing, of another shape, or outside [0, 1].
 */
export function checkedOutcome(
  { name, definition }: Pick<Attack, "name"> & { readonly definition: Pick<Attack["definition"], "seeks"> },
  outcome: AttackOutcome,
  images: Readonly<Record<string, Tensor<"float32">>>,
): AttackOutcome {
  const fail = (what: string): never => {
    throw new AttackError(`${name} gave back ${what}; see what run() owes in docs/adding-an-attack.md.`);
  };
  for (const [role, clean] of Object.entries(images)) {
    const found = outcome?.images?.[role];
    if (found?.data === undefined) return fail(`no image "${role}"`);
    if (found.type !== "float32" || found.shape.join() !== clean.shape.join())
      return fail(`"${role}" as ${found.type} [${found.shape}], where the image is float32 [${clean.shape}]`);
    // Not >= 0 and <= 1: NaN is neither.
    if (!found.data.every((v) => v >= -1e-6 && v <= 1 + 1e-6)) return fail(`values of "${role}" that are not in [0, 1]`);
  }
  const [batch] = Object.values(images)[0]!.shape;
  for (const [what, judged] of [
    ["", outcome],
    ["clean.", outcome.clean],
  ] as const) {
    if (judged?.prediction?.shape?.[0] !== batch) return fail(`no ${what}prediction for each of ${batch} images`);
    for (const key of ["loss", "correct"] as const)
      if (judged[key]?.length !== batch) return fail(`no ${what}${key} for each of ${batch} images`);
  }
  if (definition.seeks === "smallest perturbation" && outcome.found?.radius?.length !== batch)
    return fail(`no found.radius for each of ${batch} images, though it seeks the smallest perturbation`);
  if (!Array.isArray(outcome.steps)) return fail("no list of steps (an empty one where there are none)");
  return outcome;
}

/**
 * Joins two outcomes of the same batch, sample by sample keeping the one that got further: by loss alone, or first by the share of correct
 * pixels (fewer when driving away, more when driving towards) and by loss where that is equal.
 */
export function selectStronger(a: AttackOutcome, b: AttackOutcome, goal: Goal, by: Task["judgedBy"]): AttackOutcome {
  const sign = goal === "untargeted" ? 1 : -1;
  return merged(a, b, (i) => {
    const loss = sign * (b.loss[i]! - a.loss[i]!) > 0;
    const correct = sign * (a.correct[i]! - b.correct[i]!);
    return by === "loss" || correct === 0 ? loss : correct > 0;
  });
}

/**
 * The outcome, with the clean image in place of every sample that was won before the attack began and is not any more: an attacker who finds a
 * prediction wrong leaves the image alone.
 */
export function selectClean(images: AttackOutcome["images"], outcome: AttackOutcome, goal: Goal): AttackOutcome {
  const all = goal === "untargeted" ? 0 : 1;
  return merged(
    outcome,
    { ...outcome, ...outcome.clean, images },
    (i) => outcome.clean.correct[i] === all && outcome.correct[i] !== all,
  );
}

/** `a`, with the samples of `b` that are preferred. */
function merged(a: AttackOutcome, b: AttackOutcome, preferred: (sample: number) => boolean): AttackOutcome {
  const joined: AttackOutcome = {
    ...a,
    loss: a.loss.slice(),
    correct: a.correct.slice(),
    prediction: copy(a.prediction),
    images: Object.fromEntries(Object.entries(a.images).map(([role, t]) => [role, copy(t)])),
    ...(a.found && { found: Object.fromEntries(Object.entries(a.found).map(([name, values]) => [name, values.slice()])) }),
    steps: a.steps.map((s) => ({ ...s, ...Object.fromEntries(perSample.map((key) => [key, s[key].slice()])) })),
  };
  for (let i = 0; i < a.loss.length; i++) {
    if (!preferred(i)) continue;
    joined.loss[i] = b.loss[i]!;
    joined.correct[i] = b.correct[i]!;
    copySample(b.prediction, joined.prediction, i);
    for (const name of Object.keys(a.found ?? {})) joined.found![name]![i] = b.found?.[name]?.[i] ?? Number.NaN;
    for (const role of Object.keys(a.images)) copySample(b.images[role]!, joined.images[role]!, i);
    for (const [t, step] of joined.steps.entries())
      for (const key of perSample) step[key][i] = b.steps[Math.min(t, b.steps.length - 1)]![key][i]!;
  }
  return joined;
}

const perSample = ["loss", "objective", "zeroGradient", "nanGradient"] as const;

const copy = (t: Tensor<"float32">): Tensor<"float32"> => ({ ...t, data: t.data.slice() });

function copySample(from: Tensor<"float32">, to: Tensor<"float32">, sample: number): void {
  const n = sizeOf(from.shape.slice(1));
  to.data.set(from.data.subarray(sample * n, (sample + 1) * n), sample * n);
}
