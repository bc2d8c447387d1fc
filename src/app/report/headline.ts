import type { AttackPlan } from "../attack/plan.js";
import type { AttackRecord } from "../attack/run-attack.js";
import type { AttackSummary, Stage } from "../attack/summary.js";

export type Reference = "truth" | "target" | "prediction";

/** The number that stands for a run: what it is called, and its value over all samples and for each. */
export interface Headline {
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
  if (goal.kind === "targeted" && spec.task === "segmentation") {
    const target = Number(goal.target);
    const of = (record: AttackRecord, stage: Stage) => shareOf(turned(record, stage, target));
    const over = (stage: Stage) =>
      shareOf(
        records.filter((r) => r.scores).reduce<Turned>((sum, r) => add(sum, turned(r, stage, target)), { turned: 0, all: 0 }),
      );
    return {
      reference: "target",
      label: "pixels turned",
      text: (v) => metricText("aAcc", v),
      each: (v) => metricText("aAcc", v),
      of,
      over,
      damage: (r) => of(r, "adversarial") ?? 0,
      share: true,
      worse: (over("adversarial") ?? 0) > 0,
    };
  }
  const reference: Reference =
    goal.kind === "targeted" ? "target" : plan.reference === "truth" && summary.metrics.truth ? "truth" : "prediction";
  const of = (record: AttackRecord, stage: Stage) => record.scores?.[stage][reference]?.value ?? null;
  const over = (stage: Stage) => summary.metrics[reference]?.[stage][name] ?? null;
  const wanted = (better === "higher" ? -1 : 1) * (reference === "target" ? -1 : 1);
  // An infinite value is null in JSON: the PSNR of a prediction with itself.
  const number = (v: number | null) => v ?? (Number.isFinite(perfect) ? 0 : perfect);
  const change = (clean: number | null, saved: number | null) => (clean === saved ? 0 : wanted * (number(saved) - number(clean)));
  return {
    reference,
    label: name,
    text: (v) => metricText(name, v),
    each: (v) =>
      spec.task === "classification" && v !== null && v !== undefined ? verdicts[reference][v]! : metricText(name, v),
    of,
    over,
    damage: (r) => change(of(r, "clean"), of(r, "adversarial")),
    share: shares.has(name),
    worse: change(over("clean"), over("adversarial")) > 0,
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

const units: Readonly<Record<string, string>> = { EPE: "\u00a0px", PSNR: "\u00a0dB", "PSNR Y": "\u00a0dB" };
const shares = new Set([
  "mIoU",
  "mAcc",
  "aAcc",
  "top-1",
  "top-5",
  "D1",
  "bad-1",
  "bad-3",
  "1 px",
  "3 px",
  "5 px",
  "Fl-all (KITTI, and)",
  "f1-all (published, or)",
]);

/** A metric's value as readers know it: shares in per cent, errors in pixels, PSNR in dB. */
export function metricText(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return name.startsWith("PSNR") ? "∞" : "–";
  if (shares.has(name) || name.startsWith("IoU class")) return `${(100 * value).toFixed(1)}\u00a0%`;
  return `${value.toFixed(name.startsWith("SSIM") ? 4 : 2)}${units[name] ?? ""}`;
}
