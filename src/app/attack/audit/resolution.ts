import { type AttackSummary, coarseRemarks } from "../summary.js";
import { type Check, notApplicable } from "./check.js";
import type { FeedingEvidence } from "./feeding.js";

/** Where all classes tie or all scores are a handful of values, an attack changes next to nothing that is measured, or the order of ties alone. */
export function tellsApart(summary: AttackSummary, evidence: FeedingEvidence | undefined): Check {
  const name = "Predictions tell things apart";
  if (!evidence || summary.samples === 0) return notApplicable(name, "No sample finished.");
  const { resolution, samples } = evidence;
  const numbers = { samples: summary.samples };
  const [remark] = coarseRemarks(summary);
  // On few samples the doctor finds where the rounding is; all of them decide.
  if (remark !== undefined || resolution.verdict === "wrong")
    return {
      name,
      verdict: "failed",
      sentence:
        resolution.verdict === "wrong"
          ? `${resolution.sentence} Numbers of such a model say nothing of its robustness.`
          : `${remark![0]!.toUpperCase()}${remark!.slice(1)}.`,
      numbers,
    };
  if (resolution.verdict === "unsure") return { name, verdict: "warning", sentence: resolution.sentence, numbers };
  return { name, verdict: "passed", sentence: `On ${samples} samples: ${resolution.sentence}`, numbers };
}
