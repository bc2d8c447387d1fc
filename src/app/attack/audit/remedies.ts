import { flagOf } from "../flag-of.js";
import type { AttackPlan } from "../plan.js";

/** What may help where a search fell short, by the parameter that does it: words before its flag, and behind. */
const words = {
  restarts: ["more", ""],
  stepSize: ["a smaller", ""],
  lineSearch: ["", "strong-wolfe"],
  steps: ["more", ""],
  queries: ["more", ""],
  loss: ["another", ""],
} as const;

/**
 * Of remedies, those that the attack has as parameters, as they are typed; else what to do instead.
 *
 * @example remedies(plan, ["restarts", "stepSize"], "another attack"); // "more --restarts or a smaller --step-size"
 */
export function remedies(
  { attack }: Pick<AttackPlan, "attack">,
  parameters: readonly (keyof typeof words)[],
  otherwise: string,
): string {
  const own = parameters.filter((name) => name in attack.definition.parameters.shape);
  const typed = own.map((name) => `${words[name][0]} ${flagOf(name)} ${words[name][1]}`.trim());
  return typed.join(" or ") || otherwise;
}
