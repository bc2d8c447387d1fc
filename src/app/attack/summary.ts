import type { NormName } from "../../methods/attacks/lengths.js";
import { type Conversion, countConversions } from "../../vision/data/conversions.js";
import { framing } from "../../vision/framed-predictor.js";
import { type Measure, type SampleScores, worstChoice } from "../../vision/metrics/measure.js";
import { median } from "../../vision/metrics/median.js";
import { tasks } from "../../vision/tasks/index.js";
import { coarseness } from "../../vision/tasks/levels.js";
import { tileCount } from "../../vision/tiling.js";
import type { PerturbationSize } from "./eight-bit.js";
import { type AttackPlan, runFormat } from "./plan.js";
import type { AttackRecord, References } from "./run-attack.js";
import { type SmallestSummary, smallestOver } from "./smallest.js";
import type { TransferSummary } from "./transfer.js";

/** A run in numbers: what summary.json holds. Computed from the records alone, so shards and resumed runs give the same. */
export interface AttackSummary {
  readonly format: typeof runFormat;
  readonly samples: number;
  readonly errors: readonly { readonly index: number; readonly sample: string; readonly error: string }[];
  readonly headline: Measure["headline"];
  /** Metrics by reference (truth, target, prediction) and by what was measured (clean, adversarial, saved). */
  readonly metrics: Readonly<Record<string, Readonly<Record<Stage, Readonly<Record<string, number | null>>>>>>;
  /** Metrics of the pictures as they are, to the truth, where predictions are pictures like them: what a model must beat. */
  readonly untouched?: Readonly<Record<string, number | null>>;
  readonly loss: Readonly<Record<Stage, number | null>>;
  /** Samples on which a step's gradient was zero in every element, or held NaN or infinity. */
  readonly gradient: { readonly zero: number; readonly notFinite: number };
  /** What the clean predictions cannot tell apart, a sentence's beginning each. */
  readonly coarse?: readonly string[];
  /** Further numbers that the attack had to say, over the samples. */
  readonly found?: Readonly<Record<string, { readonly mean: number; readonly median: number; readonly most: number }>>;
  /** Where a patch hides pixels that have a prediction each: which share of them, on average. They are in no number. */
  readonly hidden?: number;
  /** Where the attack is several: what each of them came to. */
  readonly members?: Readonly<Record<string, MemberSummary>>;
  /** There, of each sample the member's result that makes the headline metric over all samples worst: its metrics, by reference. */
  readonly worst?: ByReference;
  /** Where several attacks took their turn: the share of what is right after each, over the samples. */
  readonly after?: readonly { readonly attack: string; readonly correct: number }[];
  /** Where the attack looks for the smallest perturbations: how small they are. */
  readonly smallest?: SmallestSummary;
  /** Mean loss before each step. */
  readonly curve: readonly number[];
  /** Where images were predicted tile by tile: how many tiles an image has, at least and at most, and all together. */
  readonly tiles?: { readonly least: number; readonly most: number; readonly all: number };
  /** How many pictures the predictor surrounds, and how many it scales, because the model takes only some sizes. */
  readonly framing?: { readonly padded: number; readonly scaled: number };
  /** How many pictures were not 8-bit gray or RGB, and what was done to them as they were read. */
  readonly converted?: Readonly<Partial<Record<Conversion, number>>>;
  /** The images on other models, where some were named. */
  readonly transfer?: readonly TransferSummary[];
  /** Largest perturbation of any saved image. */
  readonly perturbation: PerturbationSize;
}

/** Metrics of adversarial images, by reference. */
type ByReference = Readonly<Record<string, Readonly<Record<string, number | null>>>>;

/** One member of an ensemble, over all samples. */
export interface MemberSummary {
  readonly metrics: ByReference;
  readonly loss: number;
}

export const stages = ["clean", "adversarial", "saved"] as const;
export type Stage = (typeof stages)[number];
export const references = ["truth", "target", "prediction"] as const;

export function summarize(plan: AttackPlan, all: readonly AttackRecord[]): AttackSummary {
  const records = [...all].sort((a, b) => a.index - b.index);
  const done = records.filter((r) => r.scores);
  const { task, ignore, output } = plan.spec;
  const measure = tasks[task].measure({ classes: classesOf(done), ignore, output });
  const metrics: Record<string, Record<Stage, Record<string, number | null>>> = {};
  for (const reference of references) {
    const byStage = Object.fromEntries(
      stages.map((stage) => {
        const samples = done.flatMap((r) => (r.scores![stage] as References)[reference] ?? []) as SampleScores[];
        return [stage, samples.length > 0 ? finiteValues(measure.summarize(samples)) : undefined];
      }),
    );
    if (byStage.clean) metrics[reference] = byStage as Record<Stage, Record<string, number | null>>;
  }
  const untouched = done.flatMap((r) => r.untouched ?? []);
  const mean = (pick: (r: AttackRecord) => number) =>
    done.length === 0 ? null : done.reduce((sum, r) => sum + pick(r), 0) / done.length;
  const steps = Math.max(0, ...done.map((r) => r.loss!.steps.length));
  const largest = (norm: NormName) => Math.max(0, ...done.flatMap((r) => Object.values(r.perturbation!).map((p) => p[norm])));
  const { fit } = plan;
  const counts =
    fit.mismatch === "tile" ? done.map(({ size }) => tileCount({ height: size![0], width: size![1] }, fit.tiles)) : [];
  return {
    format: runFormat,
    samples: done.length,
    errors: records.flatMap((r) => (r.error ? [{ index: r.index, sample: r.sample, error: r.error }] : [])),
    headline: measure.headline,
    metrics,
    ...(untouched.length > 0 && untouched.length === done.length && { untouched: finiteValues(measure.summarize(untouched)) }),
    loss: { clean: mean((r) => r.loss!.clean), adversarial: mean((r) => r.loss!.adversarial), saved: mean((r) => r.loss!.saved) },
    gradient: gradientFaults(done),
    ...coarseOver(plan, done),
    ...foundOver(plan, done),
    ...smallestOver(plan, done),
    ...(done.some((r) => r.hidden !== undefined) && { hidden: mean((r) => r.hidden ?? 0)! }),
    ...membersOver(done, measure, plan.goal.kind),
    ...afterEach(done),
    curve: Array.from({ length: steps }, (_, t) => mean((r) => r.loss!.steps[Math.min(t, r.loss!.steps.length - 1)]!)!),
    ...(counts.length > 0 && {
      tiles: { least: Math.min(...counts), most: Math.max(...counts), all: counts.reduce((a, b) => a + b) },
    }),
    ...framingOf(plan, done),
    ...(done.some((r) => r.converted) && { converted: countConversions(done.map((r) => r.converted ?? [])) }),
    perturbation: { l_inf: largest("l_inf"), l_2: largest("l_2"), l_1: largest("l_1"), l_0: largest("l_0") },
  };
}

/** What the clean predictions of these samples cannot tell apart, if anything. */
export function coarseOver({ spec }: AttackPlan, records: readonly AttackRecord[]): Pick<AttackSummary, "coarse"> {
  const coarse = coarseness(
    records.map((r) => r.levels),
    tasks[spec.task],
  );
  return coarse.length > 0 ? { coarse } : {};
}

/** A sentence, without its full stop, where predictions tell nothing apart. */
export const coarseRemarks = ({ coarse = [] }: Pick<AttackSummary, "coarse">): string[] =>
  coarse.length > 0
    ? [
        `${coarse.join(", and ")} on the pictures as they are, so that no number here says anything of robustness: rounded too coarsely, or no answer to the picture; faultline doctor says where`,
      ]
    : [];

/** Radii of smallest perturbations are told apart (`smallest`): they have a meaning for images that never broke. */
function foundOver({ attack }: AttackPlan, records: readonly AttackRecord[]): Pick<AttackSummary, "found"> {
  const all = [...new Set(records.flatMap((r) => Object.keys(r.found ?? {})))];
  const names = attack.definition.seeks === "smallest perturbation" ? all.filter((name) => name !== "radius") : all;
  if (names.length === 0) return {};
  const of = (name: string) => {
    // In order of size, so that the mean does not depend on the order of the records.
    const values = records.flatMap((r) => r.found?.[name] ?? []).sort((a, b) => a - b);
    return {
      mean: values.reduce((a, b) => a + b, 0) / values.length,
      median: median(values),
      most: values.at(-1)!,
    };
  };
  return { found: Object.fromEntries(names.map((name) => [name, of(name)])) };
}

function membersOver(
  records: readonly AttackRecord[],
  measure: Measure,
  goal: AttackPlan["goal"]["kind"],
): Pick<AttackSummary, "members" | "worst"> {
  const names = Object.keys(records[0]?.members ?? {});
  if (names.length === 0 || !records.every((r) => r.members)) return {};
  const present = references.filter((reference) => records.every((r) => r.members![names[0]!]!.scores[reference]));
  const scores = (name: string, reference: (typeof references)[number]) =>
    records.map((r) => r.members![name]!.scores[reference]!);
  const byReference = (of: (reference: (typeof references)[number]) => readonly SampleScores[]) =>
    Object.fromEntries(present.map((reference) => [reference, finiteValues(measure.summarize(of(reference)))]));
  const members = names.map((name) => [
    name,
    {
      metrics: byReference((reference) => scores(name, reference)),
      loss: records.reduce((sum, r) => sum + r.members![name]!.loss, 0) / records.length,
    },
  ]);
  return {
    members: Object.fromEntries(members),
    ...(goal === "untargeted" && {
      worst: byReference((reference) => {
        const choices = names.map((name) => scores(name, reference));
        return worstChoice(measure, choices).map((choice, sample) => choices[choice]![sample]!);
      }),
    }),
  };
}

function afterEach(records: readonly AttackRecord[]): Pick<AttackSummary, "after"> {
  const turns = Object.keys(records.find((r) => r.after)?.after ?? {});
  if (turns.length === 0) return {};
  const shares = (attack: string) => records.map((r) => r.after?.[attack] ?? 0);
  return { after: turns.map((attack) => ({ attack, correct: shares(attack).reduce((a, b) => a + b, 0) / records.length })) };
}

/** How many pictures the predictor surrounds or scales, for a model of this specification. */
export function framingOf(
  { fit, spec }: Pick<AttackPlan, "fit" | "spec">,
  records: readonly AttackRecord[],
): Pick<AttackSummary, "framing"> {
  if (fit.mismatch === "tile" || spec.size.rule === "any") return {};
  const ways = records.map(({ size }) => {
    const picture = { height: size![0], width: size![1] };
    return { picture, ...framing(picture, spec.size, fit.mismatch) };
  });
  const count = (pick: "picture" | "scaled", then: "scaled" | "seen") =>
    ways.filter((w) => w[pick].height !== w[then].height || w[pick].width !== w[then].width).length;
  const counts = { padded: count("scaled", "seen"), scaled: count("picture", "scaled") };
  return counts.padded + counts.scaled > 0 ? { framing: counts } : {};
}

/** Segmentation records hold confusion entries; the number of classes is stored with the record. */
function classesOf(records: readonly AttackRecord[]): number {
  return Math.max(1, ...records.map((r) => r.classes ?? 1));
}

/** JSON has no word for what is not finite. */
export function finiteValues(values: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(values).map(([name, v]) => [name, Number.isFinite(v) ? v : null]));
}

/** On how many samples a step's gradient was zero in every element, or held NaN or infinity. */
export function gradientFaults(records: readonly AttackRecord[]): { readonly zero: number; readonly notFinite: number } {
  const found = records.flatMap((r) => r.gradient ?? []);
  return { zero: found.filter((g) => g.zero === 1).length, notFinite: found.filter((g) => g.nan > 0).length };
}

/** A sentence for each; `samples` is how many were looked at. */
export function gradientRemarks({ zero, notFinite }: ReturnType<typeof gradientFaults>, samples: number): string[] {
  return [
    ...(zero > 0
      ? [
          `on ${zero} of ${samples} samples a gradient was 0 in every element: the attack moved by its start or its momentum alone`,
        ]
      : []),
    ...(notFinite > 0
      ? [`on ${notFinite} of ${samples} samples a gradient was NaN or infinite somewhere: do not use the numbers`]
      : []),
  ];
}
