import { tasks } from "../../../vision/tasks/index.js";
import type { AttackPlan } from "../plan.js";
import { type Check, notApplicable } from "./check.js";
import type { Trial } from "./evidence.js";

/** Whether the weights of CosPGD or SegPGD tell pixels apart at all. Where they are constant, the attack is PGD under another name. */
export function weightSpread({ spec, attack, threat }: AttackPlan, trials: readonly Trial[]): Check {
  const name = "Pixel weights differ";
  const all = trials.flatMap((t) => t.weights);
  if (all.length === 0) return notApplicable(name, `${attack.name} weighs all pixels alike.`);
  if (tasks[spec.task].extent === "image")
    return notApplicable(
      name,
      "One image has one prediction here, so there is nothing to weigh against it; the attack is PGD here.",
    );
  const spread = (near: "clean" | "adversarial") => Math.max(...all.filter((w) => w.near === near).map((w) => w.most - w.least));
  const numbers = {
    "spread near the clean images": spread("clean"),
    "spread near the adversarial images": spread("adversarial"),
    "mean weight, clean": all.filter((w) => w.near === "clean").reduce((s, w, _, l) => s + w.mean / l.length, 0),
    "mean weight, adversarial": all.filter((w) => w.near === "adversarial").reduce((s, w, _, l) => s + w.mean / l.length, 0),
  };
  const largest = Math.max(spread("clean"), spread("adversarial"));
  if (largest < 1e-4)
    return {
      name,
      verdict: "warning",
      sentence: `${[...new Set(all.map((w) => w.attack))].join(" and ")} weighs all pixels alike here (spread ${largest.toExponential(1)}), so it is PGD under another name. ${
        tasks[spec.task].kind === "classes"
          ? "Call it that."
          : `Set --scale (now ${threat.scale}) near the errors that are seen, for CosPGD with --alignment residual, which weighs by the error itself; or call the attack PGD.`
      }`,
      numbers,
    };
  return {
    name,
    verdict: "passed",
    sentence: `The weights span ${spread("clean").toPrecision(2)} near the clean and ${spread("adversarial").toPrecision(2)} near the adversarial images.`,
    numbers,
  };
}
