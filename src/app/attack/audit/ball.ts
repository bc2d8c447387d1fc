import type { AttackPlan } from "../plan.js";
import { type Check, notApplicable } from "./check.js";
import type { FileEvidence } from "./evidence.js";

/** The saved files are what was promised: inside the ball, as pictures. */
export function insideBall({ attack }: AttackPlan, files: readonly FileEvidence[]): Check {
  const name = "Saved images lie in the ball";
  const { norm, epsilon } = attack.budget;
  if (files.length === 0) return notApplicable(name, "No image was saved.");
  const problems = files.filter((f) => f.problem);
  const outside = files.filter((f) => !f.problem && epsilon !== undefined && f.size > epsilon * (1 + 1e-5) + 1e-6);
  const trespass = files.filter((f) => f.trespass);
  const largest = Math.max(0, ...files.map((f) => f.size));
  const length = (v: number) => (norm === "l_inf" ? `${(255 * v).toFixed(2)}/255` : v.toPrecision(4));
  const unit = `${length(largest)}${epsilon === undefined ? "" : ` of ${length(epsilon)}`}`;
  const numbers = {
    images: files.length,
    largest,
    ...(epsilon !== undefined && { radius: epsilon }),
    outside: outside.length,
    unreadable: problems.length,
  };
  const bad = [
    ...problems.slice(0, 1).map((f) => `${f.sample}: ${f.problem}`),
    ...outside.slice(0, 1).map((f) => `${f.sample} is ${f.size.toPrecision(4)} away from its clean image`),
    ...trespass.slice(0, 1).map((f) => `${f.sample} changed where it must not`),
  ];
  return bad.length === 0
    ? {
        name,
        verdict: "passed",
        sentence: `All ${files.length} saved images were read again: the largest perturbation is ${unit} (${norm}), and every value is an 8-bit intensity.`,
        numbers,
      }
    : {
        name,
        verdict: "failed",
        sentence: `${bad.join("; ")}. The saved images are not those of this run, or were changed since.`,
        numbers,
      };
}
