import { namePattern } from "../../engine/onnx/name-pattern.js";
import { CriticalityError } from "../../methods/criticality/error.js";
import type { Layer } from "../../methods/criticality/layer.js";
import type { ResetUnit } from "../../methods/criticality/measure-resets.js";
import type { LayerProfile } from "../../methods/criticality/profile.js";
import type { CriticalityPlan } from "./plan.js";

/** What is reset at once: one layer, or a group under its pattern or stage. */
export type Target = Pick<LayerProfile, "name" | "kind" | "stage"> & { readonly members: readonly Layer[] };

/** One reset with its number: targets in the order of the network, and the trials of each. */
export interface NumberedUnit extends ResetUnit {
  readonly index: number;
  readonly target: number;
}

/**
 * @throws CriticalityError when a pattern matches no layer, or nothing is left to reset.
 */
export function targetsOf(layers: readonly Layer[], { kinds, only, together }: CriticalityPlan["layers"]): Target[] {
  if (layers.length === 0)
    throw new CriticalityError(
      "The model has no layers with constant weights (convolutions, linear layers, normalizations); nothing can be reset.",
    );
  const ofKind = layers.filter((l) => kinds.includes(l.kind));
  if (ofKind.length === 0)
    throw new CriticalityError(
      `The model has no layers of the kind ${kinds.join(", ")}; it has ${[...new Set(layers.map((l) => l.kind))].join(", ")}.`,
    );
  const patterns = only.length === 0 ? ["*"] : only;
  const chosen = new Set(patterns.flatMap((p) => matching(ofKind, p, layers)));
  const selected = ofKind.filter((l) => chosen.has(l));
  if (together === "no") return selected.map((l) => ({ name: l.name, kind: l.kind, stage: l.stage, members: [l] }));
  const groups: (readonly [name: string, members: Layer[]])[] =
    together === "stage"
      ? [...new Set(selected.map((l) => l.stage))].map((stage) => [stage, selected.filter((l) => l.stage === stage)])
      : [...new Set(together)].map((pattern) => [pattern, matching(selected, pattern, layers)]);
  return groups.map(([name, members]) => ({ name, kind: "group", stage: members[0]!.stage, members }));
}

function matching(layers: readonly Layer[], pattern: string, all: readonly Layer[]): Layer[] {
  const expression = namePattern(pattern);
  const found = layers.filter((l) => expression.test(l.name));
  if (found.length === 0)
    throw new CriticalityError(
      `No layer matches "${pattern}"; the layers are ${shorten(all.map((l) => l.name))} (patterns may hold *).`,
    );
  return found;
}

/** A long list of names, cut in the middle. */
export const shorten = (names: readonly string[]): string =>
  names.length <= 12 ? names.join(", ") : `${names.slice(0, 6).join(", ")}, ..., ${names.slice(-3).join(", ")}`;

export const unitIndex = (target: number, trial: number, trials: number): number => target * trials + trial;

export const unitsOf = (targets: readonly Target[], trials: number): NumberedUnit[] =>
  targets.flatMap(({ members }, target) =>
    Array.from({ length: trials }, (_, trial) => ({ index: unitIndex(target, trial, trials), target, trial, layers: members })),
  );
