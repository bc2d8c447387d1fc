import type { StateSpec } from "../ascent.js";

/** The number that a state begins with, for radius ε. */
export function firstValue(initial: Exclude<StateSpec["initial"], "start">, epsilon: number): number {
  if (initial === "eps") return epsilon;
  return initial === "2eps" ? 2 * epsilon : initial;
}
