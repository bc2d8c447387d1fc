import type { Value, ValueType } from "../../graph/graph.js";
import { flag, type Operator } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { constantNumbers, emit, intsConstant, normalizeAxis } from "../emit.js";
import { reshape } from "../layout/reshape.js";

/** Whether reduced axes stay as axes of size 1 or are dropped from the shape. */
export type Axes = "keep" | "drop";

/** Attributes of every reduction since opset 18 (axes are an input). */
export const reductionAttributes = { keepdims: flag(1), noop_with_empty_axes: flag(0) };

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

/** One for each element that is reduced. */
export const reductionFlops = ({ inputs: [x] }: { readonly inputs: readonly [Value, ...unknown[]] }): number => sizeOf(x.shape);

/** A value of the result's shape with the reduced axes kept as 1: what broadcasts against the input. */
export function kept(context: ReductionContext, v: Value): Value {
  const axes = new Set(reducedAxes(context));
  return reshape(
    v,
    context.inputs[0].shape.map((d, i) => (axes.has(i) ? 1 : d)),
  );
}

/** How many elements are reduced to one. */
export function reducedSize(context: ReductionContext): number {
  return reducedAxes(context).reduce((n, axis) => n * context.inputs[0].shape[axis]!, 1);
}

/** Adds a reduction node; no axes means all of them. */
export const emitReduction = (operator: Operator, x: Value, axes: readonly number[] | undefined, reduced: Axes): Value =>
  emit(operator, [x, axes && intsConstant(x.graph, axes)], {
    keepdims: reduced === "keep" ? 1 : 0,
    ...(axes?.length === 0 ? { noop_with_empty_axes: 1 } : {}),
  });
