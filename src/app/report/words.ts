import { basename } from "node:path";
import type { AttackBudget } from "../../methods/attacks/definition.js";
import { surroundText } from "../../vision/framed-predictor.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Tiling } from "../../vision/tiling.js";
import { typed } from "../attack/parameters.js";
import type { AttackPlan } from "../attack/plan.js";
import type { SmallestSummary } from "../attack/smallest.js";
import type { AttackSummary } from "../attack/summary.js";
import { nameOfModel } from "../name-of-model.js";
import type { Headline, Reference } from "./headline.js";

/** As papers spell it. */
export const attackName = ({ attack }: AttackPlan): string => attack.definition.title;
export const modelName = ({ model }: AttackPlan): string => nameOfModel(model.path);

/** 0.0313725 -> "8/255" in l_inf, plain numbers otherwise. */
export function radius(value: number, norm: AttackBudget["norm"]): string {
  const levels = value * 255;
  if (norm !== "l_inf") return String(Number(value.toPrecision(4)));
  return `${Math.abs(levels - Math.round(levels)) < 1e-9 ? Math.round(levels) : Number(levels.toPrecision(4))}/255`;
}

/** How far an attack may change a picture, in words. */
export function allowance(epsilon: number, norm: AttackBudget["norm"]): string {
  if (norm === "l_inf") return `each color value by at most ${Number((epsilon * 255).toPrecision(4))} of 255 levels`;
  const size = radius(epsilon, norm);
  if (norm === "l_0") return `at most ${size} color values of each picture`;
  return norm === "l_2"
    ? `each picture by at most ${size} in Euclidean length (the root of all squared changes, values being in [0, 1])`
    : `each picture by at most ${size} in sum (of all absolute changes, values being in [0, 1])`;
}

/** A path as a report shows it: the folders before it are nobody's business. */
export const shortPath = (path: string): string => basename(path.replace(/[\\/]+$/, "")) || path;

export const referenceWords: Readonly<Record<Reference, string>> = {
  truth: "against the ground truth",
  target: "against the attacker's target",
  prediction: "against the model's own clean prediction",
};

/** What the attacker wants to see, in words. */
export function targetText({ goal, spec }: AttackPlan): string {
  if (goal.kind === "untargeted") return "";
  return tasks[spec.task].wish.say(goal.target, (label) => spec.classes?.[label]);
}

/** One sentence: what was attacked, how hard, what happened. */
export function headlineSentence(plan: AttackPlan, summary: AttackSummary, number: Headline): string {
  const { attack } = plan;
  const images = `${summary.samples} image${summary.samples === 1 ? "" : "s"}`;
  const { norm, epsilon } = attack.budget;
  if (summary.smallest && summary.samples > 0) return smallestSentence(plan, summary.smallest, images);
  const { fit } = attack.definition;
  const how =
    fit && epsilon === undefined
      ? `${attackName(plan)}, one ${fit.what} for all pictures,`
      : `${attackName(plan)}, changing ${allowance(epsilon ?? summary.perturbation[norm], norm)},`;
  const model = modelName(plan);
  if (summary.samples === 0) return `${how} was run on ${model}, but no sample finished.`;
  const [before, after] = [number.text(number.over("clean")), number.text(number.over("adversarial"))];
  if (number.kind === "pixels turned")
    return `${how} drove ${model} towards ${targetText(plan)} on ${images}: of the pixels that showed something else, ${after} now show it.`;
  if (number.reference === "target")
    return `${how} drove ${model} towards ${targetText(plan)} on ${images}: ${number.label} ${referenceWords.target} went from ${before} to ${after}.`;
  if (number.reference === "prediction" && !number.worse)
    return `${how} could not make ${model} disagree with itself on ${images}: ${number.label} ${referenceWords.prediction} stayed at ${after}.`;
  if (number.reference === "prediction")
    return `${how} made ${model} disagree with itself on ${images}: ${number.label} ${referenceWords.prediction} went from ${before} to ${after}.`;
  const verb = !number.worse ? "did not worsen" : summary.headline.better === "higher" ? "lowered" : "raised";
  return `${how} ${verb} the ${number.label} of ${model} on ${images}: from ${before} to ${after}.`;
}

/** Where there was nothing to attack: that, in a sentence. */
export const nothingSeen = ({ spec }: AttackPlan, { metrics }: Pick<AttackSummary, "metrics">): string[] =>
  [metrics.prediction && tasks[spec.task].nothingSeen?.(metrics.prediction.clean)].filter((sentence) => sentence !== undefined);

/** The same where the smallest perturbations were looked for: how large they must be. */
function smallestSentence(plan: AttackPlan, { norm, right, unbroken, median }: SmallestSummary, images: string): string {
  const looked = `${attackName(plan)} looked for the smallest change that ${plan.goal.kind === "targeted" ? `drives ${modelName(plan)} towards ${targetText(plan)}` : `breaks ${modelName(plan)}`} on ${images}`;
  if (right === 0) return `${looked}: not one of them was right before, so there was nothing to find.`;
  const middle =
    median === null ? "fewer than half of them broke" : `half of them break within ${radius(median, norm)} (${norm})`;
  return `${looked}, ${right} of which were right before: ${middle}, and ${unbroken === 0 ? "none held" : `${unbroken} never broke`}.`;
}

/** "tiles of 512x512 (height x width), neighbors share at least 128 pixels; 15 for each image, 150 in all" */
export function tilesText({ height, width, overlap }: Tiling, { least, most, all }: NonNullable<AttackSummary["tiles"]>): string {
  const each = least === most ? least : `${least} to ${most}`;
  return `tiles of ${height}x${width} (height x width), neighbors share at least ${overlap} pixels; ${each} for each image, ${all} in all`;
}

type Turn = NonNullable<AttackSummary["after"]>[number];

/** "after apgd-ce", and what is left then: "61.0 % right" */
export const turnWords = ({ goal }: AttackPlan, { attack, correct }: Turn): { readonly when: string; readonly left: string } => ({
  when: `after ${attack}`,
  left: `${(100 * correct).toFixed(1)} % ${goal.kind === "untargeted" ? "right" : "as the target has it"}`,
});

/** For a shell; what begins with "$here is a shell's own. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$|^"\$here[\w./-]*"$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** How long an attack's steps are: " of 2.55/255", or what it does instead. */
export function stepWords({ attack }: AttackPlan): string {
  const { norm, steps, stepSize } = attack.budget;
  if (steps === undefined || steps === 1) return "";
  if (stepSize === undefined) return ", whose lengths it sets itself";
  const { schedule } = attack.parameters;
  return ` of ${radius(stepSize, norm)}${typeof schedule === "string" && schedule !== "constant" ? `, shortened (${schedule})` : ""}`;
}

/** The command that makes this run again; `spec` is the file that holds the model's specification. @param pathOf shortens paths. */
export function reproduce(
  { model, data, fit, plugins = [], attack, threat, fitOn, goal, reference, save, batch, seed, shard, runtime }: AttackPlan,
  spec: string,
  out: string,
  pathOf: (path: string) => string = (path) => path,
): string {
  const flags: (readonly [string, string | number | undefined])[] = [
    ["--spec", spec],
    ["--data", pathOf(data.path)],
    ["--format", data.format],
    ["--split", data.split],
    ["--variant", data.variant],
    ["--corruption", data.corruption],
    ["--limit", data.limit],
    ["--resize", fit.resize && `${fit.resize.height}x${fit.resize.width}`],
    ["--shorter", fit.shorter],
    ["--crop", fit.crop && `${fit.crop.height}x${fit.crop.width}`],
    ["--mismatch", fit.mismatch === "pad" ? undefined : fit.mismatch],
    ["--tile", fit.mismatch === "tile" ? `${fit.tiles.height}x${fit.tiles.width}` : undefined],
    ["--overlap", fit.mismatch === "tile" ? fit.tiles.overlap : undefined],
    ...plugins.map(({ path }) => ["--plugin", pathOf(path)] as const),
    ["--attack", attack.name],
    ...typed(attack),
    ["--scale", threat.scale],
    ["--eot", threat.eot?.transform],
    ["--eot-samples", threat.eot?.samples],
    ["--region", threat.region && pathOf(threat.region)],
    ["--fit-on", fitOn?.kind === "share" ? fitOn.share : fitOn?.kind === "data" ? pathOf(fitOn.path) : undefined],
    ["--perturbation", fitOn?.kind === "file" ? pathOf(fitOn.path) : undefined],
    ["--target", goal.kind === "targeted" ? goal.target : undefined],
    ["--reference", reference === "truth" ? undefined : reference],
    ["--save", save === "8-bit" ? undefined : save],
    ["--batch", batch === 1 ? undefined : batch],
    ["--seed", seed],
    ["--shard", shard && `${shard.index}/${shard.count}`],
    ["--provider", runtime.provider === "cpu" ? undefined : runtime.provider],
    ["--threads", runtime.threads],
    ["--optimization", runtime.optimization === "all" ? undefined : runtime.optimization],
    ["--out", out],
  ];
  const words = flags.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${quoted(String(value))}`]));
  if (threat.perturb) words.push(`--perturb ${threat.perturb.map(quoted).join(" ")}`);
  return [`faultline attack ${quoted(pathOf(model.path))}`, ...words].join(" \\\n  ");
}

/** What the predictor does to pictures on their way to a model that takes only some sizes, in a sentence. */
export function framingText({ fit, spec }: AttackPlan, { padded, scaled }: NonNullable<AttackSummary["framing"]>): string {
  const ways = [
    ...(scaled > 0 ? [`${scaled} scaled to its size (${fit.mismatch === "resize" ? "stretched" : "the shape kept"})`] : []),
    ...(padded > 0 ? [`${padded} ${surroundText(tasks[spec.task])}`] : []),
  ];
  return `the model takes ${sizeText(spec.size)}: of the pictures ${ways.join(" and ")} within the predictor, and predictions are brought back; what is attacked, measured and saved are the pictures themselves`;
}

export const sizeText = (size: AttackPlan["spec"]["size"]): string =>
  size.rule === "any"
    ? "any size"
    : size.rule === "multiple"
      ? `sizes that are multiples of ${size.of}`
      : `${size.height}x${size.width} only`;
