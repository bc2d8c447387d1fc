import { formatOf, inPercent } from "../../vision/metrics/measure.js";
import { type Judging, type Task, tasks } from "../../vision/tasks/index.js";
import type { AttackPlan } from "../attack/plan.js";
import type { AttackRecord } from "../attack/run-attack.js";
import type { AttackSummary, Stage } from "../attack/summary.js";

export type Reference = "truth" | "target" | "prediction";

/** The number that stands for a run: what it is called, and its value over all samples and for each. */
export interface Headline {
  readonly kind: "metric" | "pixels turned";
  readonly reference: Reference;
  readonly label: string;
  readonly text: (value: number | null | undefined) => string;
  /** The same for one sample: a classifier is right or wrong. */
  readonly each: (value: number | null | undefined) => string;
  readonly over: (stage: Stage) => number | null;
  readonly of: (record: AttackRecord, stage: Stage) => number | null;
  /** How much worse the sample got for the model's owner; sorts samples. */
  readonly damage: (record: AttackRecord) => number;
  /** End of the scale, for shares. */
  readonly share: boolean;
  /** Whether the run as a whole did damage. */
  readonly worse: boolean;
}

/**
 * The comparison that matters: with the attacker's target where there is one, else the truth, else the model's own clean prediction. A target
 * of one class everywhere is mostly there before the attack; what counts then are the pixels that showed something else.
 */
export function headline(plan: AttackPlan, summary: AttackSummary, records: readonly AttackRecord[]): Headline {
  const { goal, spec } = plan;
  const { name, better, perfect } = summary.headline;
  const task = tasks[spec.task];
  if (goal.kind === "targeted" && task.kind === "classes" && task.extent === "pixels") {
    const target = Number(goal.target);
    const of = (record: AttackRecord, stage: Stage) => shareOf(turned(record, stage, target));
    const over = (stage: Stage) =>
      shareOf(
        records.filter((r) => r.scores).reduce<Turned>((sum, r) => add(sum, turned(r, stage, target)), { turned: 0, all: 0 }),
      );
    return {
      kind: "pixels turned",
      reference: "target",
      label: "pixels turned",
      text: shareText,
      each: shareText,
      of,
      over,
      damage: (r) => of(r, "adversarial") ?? 0,
      share: true,
      worse: (over("adversarial") ?? 0) > 0,
    };
  }
  const judging = goal.kind === "targeted" ? task.wish.judgedBy?.(goal.target) : undefined;
  if (judging) return judgedHeadline(judging, plan, summary);
  const reference: Reference =
    goal.kind === "targeted" ? "target" : plan.reference === "truth" && summary.metrics.truth ? "truth" : "prediction";
  const of = (record: AttackRecord, stage: Stage) => record.scores?.[stage][reference]?.value ?? null;
  const over = (stage: Stage) => summary.metrics[reference]?.[stage][name] ?? null;
  const wanted = (better === "higher" ? -1 : 1) * (reference === "target" ? -1 : 1);
  // An infinite value is null in JSON: the PSNR of a prediction with itself.
  const number = (v: number | null) => v ?? (Number.isFinite(perfect) ? 0 : perfect);
  const change = (clean: number | null, saved: number | null) => (clean === saved ? 0 : wanted * (number(saved) - number(clean)));
  const oneClass = task.kind === "classes" && task.extent === "image";
  return {
    kind: "metric",
    reference,
    label: name,
    text: (v) => metricText(task, name, v),
    each: (v) => (oneClass && v !== null && v !== undefined ? verdicts[reference][v]! : metricText(task, name, v)),
    of,
    over,
    damage: (r) => change(of(r, "clean"), of(r, "adversarial")),
    share: formatOf(task.formats, name).share,
    worse: change(over("clean"), over("adversarial")) > 0,
  };
}

/** A wish that a metric of its own tells of: how many boxes are seen. */
function judgedHeadline({ name, wanted }: Judging, { spec }: AttackPlan, summary: AttackSummary): Headline {
  const task = tasks[spec.task];
  const measure = task.measure({ classes: 0, ignore: spec.ignore, output: spec.output });
  const of = (record: AttackRecord, stage: Stage) => {
    const scores = record.scores?.[stage].target;
    return (scores && measure.summarize([scores])[name]) ?? null;
  };
  const over = (stage: Stage) => summary.metrics.target?.[stage][name] ?? null;
  const gain = (clean: number | null, now: number | null) => (wanted === "higher" ? 1 : -1) * ((now ?? 0) - (clean ?? 0));
  const text = (v: number | null | undefined) => metricText(task, name, v);
  return {
    kind: "metric",
    reference: "target",
    label: name,
    text,
    each: text,
    of,
    over,
    damage: (r) => gain(of(r, "clean"), of(r, "adversarial")),
    share: formatOf(task.formats, name).share,
    worse: gain(over("clean"), over("adversarial")) > 0,
  };
}

const verdicts: Readonly<Record<Reference, readonly [string, string]>> = {
  truth: ["wrong", "right"],
  target: ["another class", "the target"],
  prediction: ["changed", "its own class"],
};

interface Turned {
  readonly turned: number;
  readonly all: number;
}

/** Pixels that showed another class than the target's before the attack, and how many of them show it at this stage. */
function turned(record: AttackRecord, stage: Stage, target: number): Turned {
  const detail = record.scores?.[stage].prediction.detail as
    | { readonly confusion: readonly (readonly [own: number, now: number, pixels: number])[] }
    | undefined;
  const others = (detail?.confusion ?? []).filter(([own]) => own !== target);
  const count = (entries: typeof others) => entries.reduce((s, [, , n]) => s + n, 0);
  return { turned: count(others.filter(([, now]) => now === target)), all: count(others) };
}

const add = (a: Turned, b: Turned): Turned => ({ turned: a.turned + b.turned, all: a.all + b.all });
const shareOf = (t: Turned): number | null => (t.all === 0 ? null : t.turned / t.all);

const shareText = (v: number | null | undefined): string =>
  v === null || v === undefined ? inPercent.nothing : inPercent.text(v);

/** A metric's value as readers know it: shares in per cent, errors in pixels, PSNR in dB. */
export function metricText({ formats }: Task, name: string, value: number | null | undefined): string {
  const { text, nothing } = formatOf(formats, name);
  return value === null || value === undefined ? nothing : text(value);
}
