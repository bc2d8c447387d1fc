import type { Value, ValueType } from "../../graph/graph.js";
import { int } from "../../graph/operator.js";
import { constantNumbers, normalizeAxis } from "../emit.js";

/** Whether reduced axes stay as axes of size 1 or are dropped from the shape. */
export type Axes = "keep" | "drop";

/** Attributes of every reduction since opset 18 (axes are an input). */
export const reductionAttributes = { keepdims: int(1), noop_with_empty_axes: int(0) };

export interface ReductionContext {
  readonly inputs: readonly [Value, Value | undefined];
  readonly attributes: { readonly keepdims: number; readonly noop_with_empty_axes: number };
  readonly fail: (message: string) => never;
}

/** The axes that a reduction node reduces, ascending and non-negative. */
export function reducedAxes({ inputs: [x, axes], attributes, fail }: ReductionContext): number[] {
  const given = axes ? constantNumbers(axes, "axes", fail) : [];
  if (given.length === 0) return attributes.noop_with_empty_axes ? [] : x.shape.map((_, i) => i);
  return [...new Set(given.map((a) => normalizeAxis(a, x.shape.length, fail)))].sort((a, b) => a - b);
}

export function inferReduction(context: ReductionContext): readonly ValueType[] {
  const { inputs, attributes } = context;
  const axes = new Set(reducedAxes(context));
  const shape = inputs[0].shape.flatMap((d, i) => (axes.has(i) ? (attributes.keepdims ? [1] : []) : [d]));
  return [{ type: inputs[0].type, shape }];
}

/** The shape of the reduction's result with its reduced axes kept as 1: what broadcasts against the input. */
export function keptShape(context: ReductionContext): number[] {
  const axes = new Set(reducedAxes(context));
  return context.inputs[0].shape.map((d, i) => (axes.has(i) ? 1 : d));
}
