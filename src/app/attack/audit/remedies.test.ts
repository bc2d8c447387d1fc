import { expect, it } from "vitest";
import { type AttackDefinition, attackOf } from "../../../methods/attacks/definition.js";
import { attacks } from "../../../methods/attacks/index.js";
import { remedies } from "./remedies.js";

// Advice names only flags that the attack has.
it.each([
  ["pgd", "more --restarts or a smaller --step-size"],
  ["bim", "a smaller --step-size"],
  ["apgd", "more --restarts"],
  ["pcfa", "--line-search strong-wolfe"],
  ["autoattack", "another attack"],
] as const)("%s: %s", (name, advice) => {
  const definition: AttackDefinition = attacks[name];
  const attack = attackOf(definition, {});
  expect(remedies({ attack }, ["restarts", "stepSize", "lineSearch"], "another attack")).toBe(advice);
});
