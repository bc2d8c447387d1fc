import { tasks } from "../../../vision/tasks/index.js";
import type { AttackPlan } from "../plan.js";
import type { AttackRecord } from "../run-attack.js";
import type { AttackSummary } from "../summary.js";
import { type Check, notApplicable, percent } from "./check.js";

/** The model that was attacked is the one on disk, and what computed is on record. */
export function setting({ model, runtime, seed, version }: AttackPlan, modelHash: string): Check {
  const same = modelHash === model.sha256;
  return {
    name: "Setting is on record",
    verdict: same ? "passed" : "failed",
    sentence: same
      ? `Faultline ${version}, ${runtime.runtime} on ${runtime.provider} with ${runtime.threads} thread${runtime.threads === 1 ? "" : "s"}, optimization ${runtime.optimization}, seed ${seed}; the model file is the one that was attacked.`
      : `${model.path} is not the file that was attacked: its SHA-256 differs from run.json's. Everything measured again here is of another model.`,
    numbers: {
      seed,
      "model SHA-256": model.sha256,
      provider: runtime.provider,
      runtime: runtime.runtime,
      optimization: runtime.optimization,
    },
  };
}

export function allFinished(records: readonly AttackRecord[]): Check {
  const failed = records.filter((r) => r.error);
  return {
    name: "All samples finished",
    verdict: failed.length === 0 ? "passed" : failed.length === records.length ? "failed" : "warning",
    sentence:
      failed.length === 0
        ? `${records.length} of ${records.length} samples.`
        : `${failed.length} of ${records.length} samples failed and are in no number; the first: ${failed[0]!.sample}: ${failed[0]!.error}`,
    numbers: { samples: records.length, failed: failed.length },
  };
}

/** The most common mistake of all: a wrong value range, channel order or label numbering makes any model look weak. */
export function cleanPerformance(
  { spec, reference }: AttackPlan,
  { metrics, headline }: AttackSummary,
  records: readonly AttackRecord[],
): Check {
  const name = "The model works on clean images";
  const clean = metrics.truth?.clean[headline.name];
  if (clean === undefined || clean === null)
    return notApplicable(
      name,
      `There is no ground truth, so whether value range and channel order (${spec.channels.toUpperCase()}) are right cannot be told from here; look at the clean predictions.`,
    );
  const classes = Math.max(1, ...records.map((r) => r.classes ?? 1));
  const numbers = { [headline.name]: clean };
  const task = tasks[spec.task];
  const chance = task.kind !== "classes" ? undefined : task.extent === "image" ? 3 / classes : 1.5 / classes;
  const shown = task.kind === "classes" ? percent(clean) : clean.toFixed(3);
  const found = `${headline.name} ${shown} before the attack${reference === "prediction" ? " (the attack drove away from the model's own prediction)" : ""}`;
  if (chance !== undefined && clean < Math.min(chance, 0.5))
    return {
      name,
      verdict: "warning",
      sentence: `${found}: hardly better than guessing. Check --range, --channels and --label-offset before believing any robustness number.`,
      numbers,
    };
  const { quality } = task;
  const truths = records.flatMap((r) => r.scores?.clean.truth ?? []);
  const own = quality?.of(truths);
  if (quality && own! < quality.least)
    return {
      name,
      verdict: "warning",
      sentence: `${found}, ${quality.name} ${percent(own!)}: the model finds next to nothing of what is there, so an attack has next to nothing to take away. Check --range, --channels, --output-head and the numbers of the classes, and whether this is the data it is for.`,
      numbers: { ...numbers, [quality.name]: own! },
    };
  return { name, verdict: "passed", sentence: `${found}.`, numbers };
}
