import { hashModel } from "../hash-model.js";
import { insideBall } from "./audit/ball.js";
import { beatsBlackBox, tryBlackBox } from "./audit/black-box.js";
import type { Check } from "./audit/check.js";
import { survivesRounding } from "./audit/eight-bit.js";
import type { Evidence, FileEvidence, Trial } from "./audit/evidence.js";
import { fedWell, tryFeedings } from "./audit/feeding.js";
import { compareFiles } from "./audit/files.js";
import { repeatable, sameAtEveryLevel, usableGradients } from "./audit/gradients.js";
import { hugeRadius } from "./audit/huge-radius.js";
import { enoughSteps, lossMoves, stepSize } from "./audit/progress.js";
import { tellsApart } from "./audit/resolution.js";
import { allFinished, cleanPerformance, setting } from "./audit/setting.js";
import { beatsNoise, hugeBall } from "./audit/strength.js";
import { compareLevels, tryAgain } from "./audit/trials.js";
import { weightSpread } from "./audit/weight.js";
import type { AttackPlan } from "./plan.js";
import type { AttackContext, AttackRecord } from "./run-attack.js";
import { summarize } from "./summary.js";

export type { Check, Verdict } from "./audit/check.js";

/**
 * Whether the numbers of a run can be believed: one check for each way in which attacks on models have misled people (masked gradients, wrong
 * value ranges, lost perturbations, budgets too small; Carlini et al. 2019, "On evaluating adversarial robustness").
 *
 * @param evidence from `gather`.
 */
export function audit(plan: AttackPlan, evidence: Evidence): Check[] {
  const { records, files, trials, blackBox = [], levels, feeding, modelHash } = evidence;
  const elements = 3 * Math.max(1, ...records.map((r) => (r.size ? r.size[0] * r.size[1] : 1)));
  const summary = summarize(plan, records);
  return [
    allFinished(records),
    fedWell(plan, feeding),
    cleanPerformance(plan, summary, records),
    tellsApart(summary, feeding),
    lossMoves(plan, records),
    beatsNoise(plan, trials),
    beatsBlackBox(plan, blackBox),
    hugeBall(plan, trials, hugeRadius(plan.attack.budget.norm, elements)),
    stepSize(plan, records),
    enoughSteps(plan, records),
    usableGradients(plan, records, trials),
    sameAtEveryLevel(levels),
    repeatable(trials),
    weightSpread(plan, trials),
    insideBall(plan, files),
    survivesRounding(plan, records),
    setting(plan, modelHash),
  ];
}

/**
 * Measures what the audit needs beyond the records: reads every saved image again, and attacks the first `samples` samples anew.
 *
 * @param folder the run directory.
 */
export async function gather(
  context: AttackContext,
  all: readonly AttackRecord[],
  folder: string,
  { samples = 4, onProgress }: { readonly samples?: number; readonly onProgress?: (note: string) => void } = {},
): Promise<Evidence> {
  const records = [...all].sort((a, b) => a.index - b.index);
  const done = records.filter((r) => r.scores);
  const files: FileEvidence[] = [];
  for (const record of done) files.push(await compareFiles(context, record, folder));
  const intact = done.filter((_, i) => !files[i]!.problem).slice(0, samples);
  const trials: Trial[] = [];
  for (const record of intact) {
    onProgress?.(`attacking sample ${trials.length + 1} of ${intact.length} again`);
    trials.push(await tryAgain(context, record, folder));
  }
  onProgress?.("attacking without gradients");
  const blackBox = await tryBlackBox(context, done, samples);
  const levels =
    intact[0] && context.plan.attack.definition.follows === "gradients" ? await compareLevels(context, intact[0]) : undefined;
  onProgress?.("feeding the model in other ways");
  const feeding = await tryFeedings(context, done);
  return { records, files, trials, blackBox, levels, feeding, modelHash: await hashModel(context.at(context.plan.model.path)) };
}
