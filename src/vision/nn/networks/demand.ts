import { ParameterError } from "../scope.js";

/** @throws ParameterError where a configuration does not hold together. */
export function demand(holds: boolean, network: string, rule: string): void {
  if (!holds) throw new ParameterError(`This ${network} cannot be built: ${rule}.`);
}
