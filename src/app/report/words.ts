import { basename } from "node:path";
import type { AttackPlan } from "../attack/plan.js";
import type { AttackRecord } from "../attack/run-attack.js";
import type { AttackSummary, Stage } from "../attack/summary.js";

export type Reference = "truth" | "target" | "prediction";

/** Published spelling of the attacks' names. */
const attackNames: Readonly<Record<AttackPlan["attack"]["name"], string>> = {
  fgsm: "FGSM",
  bim: "BIM",
  pgd: "PGD",
  "mi-fgsm": "MI-FGSM",
  segpgd: "SegPGD",
  cospgd: "CosPGD",
  apgd: "Auto-PGD",
  "apgd-cospgd": "Auto-PGD with CosPGD's weights",
  "apgd-released": "Auto-PGD (as released)",
  noise: "Random noise",
  ensemble: "The worst of several attacks",
};

export const attackName = ({ attack }: AttackPlan): string => attackNames[attack.name];
export const modelName = ({ model }: AttackPlan): string => basename(model.path, ".onnx");

/** 0.0313725 -> "8/255" in l_inf, plain numbers otherwise. */
export function radius(value: number, norm: AttackPlan["attack"]["norm"]): string {
  const levels = value * 255;
  if (norm !== "l_inf") return String(Number(value.toPrecision(4)));
  return `${Math.abs(levels - Math.round(levels)) < 1e-9 ? Math.round(levels) : Number(levels.toPrecision(4))}/255`;
}

const normWords = { l_inf: "per intensity", l_2: "in Euclidean length", l_1: "in sum" } as const;

export const referenceWords: Readonly<Record<Reference, string>> = {
  truth: "against the ground truth",
  target: "against the attacker's target",
  prediction: "against the model's own clean prediction",
};

/** What the run is about: the comparison that its headline number makes. */
export function mainReference({ goal, reference }: AttackPlan, { metrics }: AttackSummary): Reference {
  if (goal.kind === "targeted") return "target";
  return reference === "truth" && metrics.truth ? "truth" : "prediction";
}

/** The metric that stands for the rest. A constant target has one class only, of which mIoU says nothing: there it is pixel accuracy. */
export function headline({ spec }: AttackPlan, summary: AttackSummary, reference: Reference): AttackSummary["headline"] {
  return reference === "target" && spec.task === "segmentation" ? { name: "aAcc", better: "higher" } : summary.headline;
}

/** The same number of one sample. */
export function sampleValue(record: AttackRecord, stage: Stage, reference: Reference, name: string): number | null {
  const scores = record.scores?.[stage][reference];
  if (!scores) return null;
  if (name !== "aAcc") return scores.value;
  const { confusion, pixels } = scores.detail as { confusion: [number, number, number][]; pixels: number };
  return pixels === 0 ? null : confusion.reduce((s, [truth, predicted, n]) => s + (truth === predicted ? n : 0), 0) / pixels;
}

/** How much worse the sample got for the model's owner; sorts samples. */
export function damage(record: AttackRecord, reference: Reference, { name, better }: AttackSummary["headline"]): number {
  const [clean, saved] = [sampleValue(record, "clean", reference, name) ?? 0, sampleValue(record, "saved", reference, name) ?? 0];
  const rise = reference === "target" ? saved - clean : clean - saved;
  return better === "higher" ? rise : -rise;
}

const unit: Readonly<Record<string, string>> = { EPE: " px", PSNR: " dB" };
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
  if (value === null || value === undefined) return name === "PSNR" ? "∞" : "–";
  if (shares.has(name) || name.startsWith("IoU class")) return `${(100 * value).toFixed(1)} %`;
  return `${value.toFixed(name.startsWith("SSIM") ? 4 : 2)}${unit[name.replace(" Y", "")] ?? ""}`;
}

/** What the attacker wants to see, in words. */
export function targetText({ goal, spec }: AttackPlan): string {
  if (goal.kind === "untargeted") return "";
  const name = spec.classes?.[Number(goal.target)];
  if (spec.task === "classification" || spec.task === "segmentation") return `class ${goal.target}${name ? ` (${name})` : ""}`;
  return goal.target === "zero" ? `zero ${spec.task}` : goal.target === "negative" ? "the opposite of its own flow" : goal.target;
}

/** One sentence: what was attacked, how hard, what happened. */
export function headlineSentence(plan: AttackPlan, summary: AttackSummary): string {
  const { attack } = plan;
  const reference = mainReference(plan, summary);
  const { name, better } = headline(plan, summary, reference);
  const of = summary.metrics[reference];
  const images = `${summary.samples} image${summary.samples === 1 ? "" : "s"}`;
  const how = `${attackName(plan)}, changing images by at most ${radius(attack.epsilon, attack.norm)} ${normWords[attack.norm]},`;
  if (!of) return `${how} was run on ${modelName(plan)}, but no sample finished.`;
  const [clean, saved] = [of.clean[name] ?? null, of.saved[name] ?? null];
  const [before, after] = [metricText(name, clean), metricText(name, saved)];
  if (reference === "target")
    return `${how} drove ${modelName(plan)} towards ${targetText(plan)} on ${images}: ${name} ${referenceWords.target} went from ${before} to ${after}.`;
  if (reference === "prediction")
    return `${how} made ${modelName(plan)} disagree with itself on ${images}: ${name} ${referenceWords.prediction} went from ${before} to ${after}.`;
  const worse = better === "higher" ? (saved ?? 0) < (clean ?? 0) : (saved ?? 0) > (clean ?? 0);
  const verb = worse ? (better === "higher" ? "lowered" : "raised") : "did not worsen";
  return worse
    ? `${how} ${verb} the ${name} of ${modelName(plan)} on ${images} from ${before} to ${after}.`
    : `${how} ${verb} the ${name} of ${modelName(plan)} on ${images}: ${before} before, ${after} after.`;
}

const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The command that makes this run again; `spec` is the file that holds the model's specification. */
export function reproduce(
  { model, data, fit, attack, goal, reference, batch, seed, shard, runtime }: AttackPlan,
  spec: string,
  out: string,
): string {
  const flags: (readonly [string, string | number | undefined])[] = [
    ["--spec", spec],
    ["--data", data.path],
    ["--format", data.format],
    ["--split", data.split],
    ["--variant", data.variant],
    ["--limit", data.limit],
    ["--resize", fit.resize && `${fit.resize.height}x${fit.resize.width}`],
    ["--mismatch", fit.mismatch === "pad" ? undefined : fit.mismatch],
    ["--attack", attack.name],
    ["--norm", attack.norm],
    [
      "--epsilon",
      radius(attack.epsilon, attack.norm) === `${attack.epsilon * 255}/255`
        ? radius(attack.epsilon, attack.norm)
        : attack.epsilon,
    ],
    ["--steps", attack.steps],
    ["--step-size", attack.stepSize],
    ["--restarts", attack.restarts === 1 ? undefined : attack.restarts],
    ["--grid", attack.grid === "continuous" ? undefined : attack.grid],
    ["--loss", attack.loss],
    ["--alignment", attack.alignment],
    ["--scale", attack.scale === 1 ? undefined : attack.scale],
    ["--region", attack.region],
    ["--target", goal.kind === "targeted" ? goal.target : undefined],
    ["--reference", reference === "truth" ? undefined : reference],
    ["--batch", batch === 1 ? undefined : batch],
    ["--seed", seed],
    ["--shard", shard && `${shard.index}/${shard.count}`],
    ["--provider", runtime.provider === "cpu" ? undefined : runtime.provider],
    ["--threads", runtime.threads],
    ["--optimization", runtime.optimization === "all" ? undefined : runtime.optimization],
    ["--out", out],
  ];
  const words = flags.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${quoted(String(value))}`]));
  if (attack.perturb) words.push(`--perturb ${attack.perturb.map(quoted).join(" ")}`);
  return [`faultline attack ${quoted(model.path)}`, ...words].join(" \\\n  ");
}
