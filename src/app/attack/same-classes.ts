import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { UsageError } from "../cli/errors.js";

/** A model with its classes, as its file declares them or its predictions show; `classes` undefined where that is not known. */
export interface Counting {
  readonly path: string;
  readonly spec: Pick<ModelSpec, "labelOffset">;
  readonly classes: number | undefined;
}

/** Whether two models count the same classes, as far as that is known. */
export const sameClasses = (one: Counting, other: Counting): boolean =>
  one.classes === undefined ||
  other.classes === undefined ||
  one.classes - one.spec.labelOffset === other.classes - other.spec.labelOffset;

/** @throws UsageError where a classifier's images would be measured on one with other classes. */
export function demandSameClasses(attacked: Counting, other: Counting): void {
  if (sameClasses(attacked, other)) return;
  throw new UsageError(
    `${other.path} predicts ${other.classes} classes and ${attacked.path} ${attacked.classes} (label offsets ${other.spec.labelOffset} and ${attacked.spec.labelOffset}), so their classes are not the same; take a model with the same, or say with labelOffset in its specification how they fit.`,
  );
}
