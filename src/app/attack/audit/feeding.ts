import type { Dataset } from "../../../vision/data/dataset.js";
import { assumptionsNamed, assumptionWords } from "../../../vision/spec/assumptions.js";
import { compareFeedings, viewOf } from "../../doctor/feeding.js";
import type { Finding } from "../../doctor/finding.js";
import { labelsFit } from "../../doctor/labels.js";
import { lookAt } from "../../doctor/samples.js";
import type { AttackPlan } from "../plan.js";
import type { AttackContext, AttackRecord } from "../run-attack.js";
import { type Check, notApplicable } from "./check.js";

/** What the doctor finds on the run's own samples. */
export interface FeedingEvidence {
  readonly findings: readonly Finding[];
  /** Whether predictions tell things apart. */
  readonly resolution: Finding;
  readonly labeled: boolean;
  readonly samples: number;
}

/** Samples that are looked at: of whole images with one label each, few say little. */
const most = { label: 16, pixels: 4 };

/** Runs the model on some of the run's clean samples under every usual way to feed it, as the doctor does. */
export async function tryFeedings(context: AttackContext, done: readonly AttackRecord[]): Promise<FeedingEvidence | undefined> {
  const { engine, model, plan, dataset } = context;
  if (done.length === 0) return undefined;
  const own: Dataset = { ...dataset, length: done.length, sample: (i) => dataset.sample(done[i]!.index) };
  const { resize: _, shorter: __, crop: ___, ...fit } = plan.fit;
  const first = await own.sample(0);
  const count = first.target?.shape.length === 0 ? most.label : most.pixels;
  const { samples, mismatch } = await lookAt(own, plan.spec, fit, count, () => {});
  const view = await viewOf(engine, model, plan.spec, samples, mismatch);
  const { output, resolution, input, best, labeled } = await compareFeedings(engine, view, samples);
  const labels = labeled ? labelsFit(samples, best, plan.spec) : undefined;
  return { findings: [...output, ...input, ...(labels ? [labels] : [])], resolution, labeled, samples: samples.length };
}

/** The most common mistake of all: a wrong value range or channel order makes any model look weak. The doctor's findings decide. */
export function fedWell({ spec, assumed = [] }: AttackPlan, evidence: FeedingEvidence | undefined): Check {
  const name = "The model is fed what it expects";
  if (!evidence) return notApplicable(name, "No sample finished.");
  const { findings, labeled, samples } = evidence;
  const list = assumptionsNamed(assumed, spec);
  const numbers = { samples, assumed: list.length > 0 ? assumptionWords(list) : "nothing" };
  const wrong = findings.filter((f) => f.verdict === "wrong");
  if (wrong.length > 0)
    return {
      name,
      verdict: "failed",
      sentence: `${wrong.map((f) => `${f.sentence}${f.flags ? ` (${f.flags.join(" ")})` : ""}`).join(" ")} The numbers are of a model that is fed wrongly.`,
      numbers,
    };
  const settled = labeled && !findings.some((f) => f.verdict === "unsure" && f.flags === undefined && tells.has(f.subject));
  if (settled) {
    const good = findings.filter((f) => f.verdict === "good" && tells.has(f.subject)).map((f) => f.sentence);
    return { name, verdict: "passed", sentence: `On ${samples} samples: ${good.join(" ")}`, numbers };
  }
  const why = labeled ? "no usual way of feeding the model does well on these labels" : "there are no labels to tell by";
  return list.length > 0
    ? {
        name,
        verdict: "warning",
        sentence: `Nobody said ${assumptionWords(list)}, and ${why}. Say them, or run faultline doctor on labeled data.`,
        numbers,
      }
    : notApplicable(name, `As specified; ${why}.`);
}

/** Subjects of findings on what is fed. */
const tells = new Set(["range", "channel order"]);
