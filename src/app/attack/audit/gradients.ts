import { tasks } from "../../../vision/tasks/index.js";
import type { AttackPlan } from "../plan.js";
import type { AttackRecord } from "../run-attack.js";
import { type Check, notApplicable, percent } from "./check.js";
import type { LevelEvidence, Trial } from "./evidence.js";
import { remedies } from "./remedies.js";

/** Counts elements that tell the attack nothing. */
export function usableGradients(plan: AttackPlan, records: readonly AttackRecord[], trials: readonly Trial[]): Check {
  const { spec, attack } = plan;
  const name = "Gradients are usable";
  if (attack.definition.follows !== "gradients") return notApplicable(name, `${attack.definition.title} follows no gradient.`);
  const found = records.flatMap((r) => r.gradient ?? []);
  if (found.length === 0) return notApplicable(name, "No sample finished.");
  const [zero, nan] = [Math.max(...found.map((g) => g.zero)), Math.max(...found.map((g) => g.nan))];
  const underflow = Math.max(0, ...trials.map((t) => t.underflow));
  const dead = found.filter((g) => g.zero > 0.999).length;
  const numbers = {
    "zero, at most": zero,
    "not a number, at most": nan,
    "underflow, at most": underflow,
    "samples without gradient": dead,
  };
  const atOwnPrediction =
    tasks[spec.task].kind !== "classes" && records.some((r) => r.loss?.clean === 0) && trials.some((t) => t.start === "clean");
  if (nan > 0)
    return {
      name,
      verdict: "failed",
      sentence: `Up to ${percent(nan)} of a gradient is not a number: the model divides by zero or overflows on the way back. \`faultline grad\` shows where; the results are not to be used.`,
      numbers,
    };
  if (dead > 0)
    return {
      name,
      verdict: dead === found.length ? "failed" : "warning",
      sentence: `On ${dead} of ${found.length} samples a gradient was zero everywhere: ${
        atOwnPrediction
          ? `${attack.name} starts at the clean image, and an error measured against the model's own prediction is zero there and flat. Give ground truth, or an attack with a random start (pgd, cospgd).`
          : `the loss is saturated or the model cuts its gradient (rounding, thresholds). Try ${remedies(plan, ["loss"], "an attack that takes another --loss, such as apgd, or one that follows the logits, such as fmn")}.`
      }`,
      numbers,
    };
  if (zero > 0.5 || underflow > 0.01)
    return {
      name,
      verdict: "warning",
      sentence: `Up to ${percent(zero)} of a gradient's elements are exactly zero and ${percent(underflow)} below float32's normal range: those pixels do not take part.`,
      numbers,
    };
  return {
    name,
    verdict: "passed",
    sentence: `No gradient held a value that is not a number; at most ${percent(zero)} of the elements were zero.`,
    numbers,
  };
}

/** ONNX Runtime's optimizer must not change what is differentiated. */
export function sameAtEveryLevel(levels: LevelEvidence | undefined): Check {
  const name = "Gradient does not depend on the optimizer";
  if (!levels) return notApplicable(name, "No sample finished, or the attack has no gradient.");
  const { gradient, sample } = levels;
  const numbers = { "relative difference": Number.isFinite(gradient) ? gradient : null };
  const found = `On ${sample} the gradients at the optimization levels "disabled" and "all" differ by ${gradient.toExponential(1)} (relative, Euclidean)`;
  if (gradient <= 1e-3) return { name, verdict: "passed", sentence: `${found}.`, numbers };
  return {
    name,
    verdict: gradient <= 0.05 ? "warning" : "failed",
    sentence:
      gradient <= 0.05
        ? `${found}: a decision (ReLU, maximum) flipped by rounding can do that.`
        : `${found}: ONNX Runtime's optimizer changes this model. Run with --optimization disabled.`,
    numbers,
  };
}

export function repeatable(trials: readonly Trial[]): Check {
  const name = "Predictions repeat";
  if (trials.length === 0) return notApplicable(name, "No sample finished.");
  const random = trials.filter((t) => !t.repeatable).length;
  return {
    name,
    verdict: random === 0 ? "passed" : "warning",
    sentence:
      random === 0
        ? "The same image gives the same prediction, bit for bit."
        : "The same image gives different predictions: the model is random (dropout, noise) or the provider sums in varying order. A random defence must be attacked in expectation.",
    numbers: { samples: trials.length, differing: random },
  };
}
