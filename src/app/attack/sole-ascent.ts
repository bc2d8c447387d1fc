import type { ProjectedAscent } from "../../methods/attacks/ascent/ascent.js";
import { type Aim, type Attack, ascentsOf } from "../../methods/attacks/definition.js";
import { UsageError } from "../cli/errors.js";

/**
 * The projected ascent that an attack is, for what needs exactly one.
 *
 * @param what for the message: "faultline compile writes a step".
 * @throws UsageError where the attack is made of several, or is of another kind.
 */
export async function soleAscent(attack: Attack, aim: Aim, what: string): Promise<ProjectedAscent> {
  const [ascent, ...more] = await ascentsOf(attack, aim);
  if (!ascent || ascent.budget.steps === 0)
    throw new UsageError(`${what}, and ${attack.name} takes no steps along a gradient; take another attack.`);
  if (more.length === 0) return ascent;
  const names = [...new Set([ascent, ...more].map(({ name }) => name))].join(", ");
  throw new UsageError(`${what}, and ${attack.name} is made of several attacks; take one of them: ${names}.`);
}
