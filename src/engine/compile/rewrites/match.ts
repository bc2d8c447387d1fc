import type { Node, Value } from "../../graph/graph.js";
import { nodeAs } from "../../graph/operator.js";
import { Transpose, transpose } from "../../operators/layout/transpose.js";
import { isFloat, numberAt, type Shape, sizeOf } from "../../tensor/tensor.js";

/** Channels in a block of ONNX Runtime's convolution layout, on the widest processors. */
export const block = 16;

/** The number that a one-element floating-point constant holds. */
export function scalarOf(v: Value | undefined): number | undefined {
  return v?.constant && isFloat(v.type) && sizeOf(v.shape) === 1 ? numberAt(v.constant, 0) : undefined;
}

export const isZero = (v: Value | undefined): boolean => scalarOf(v) === 0;

/** Whether `v` depends on constants alone, so that ONNX Runtime computes it once, when it loads the model. */
export function isFixed({ constant, node }: Value): boolean {
  if (constant || !node) return constant !== undefined;
  const known = fixed.get(node) ?? node.inputs.every((i) => !i || isFixed(i));
  fixed.set(node, known);
  return known;
}

/** Asked about the same nodes again and again; the answer stays what it is, also where a value is found to be a constant. */
const fixed = new WeakMap<Node, boolean>();

/** The operands of a commutative node in the order in which `first` accepts the first one. */
export function inOrder(
  [a, b]: readonly (Value | undefined)[],
  first: (v: Value) => boolean,
): readonly [Value, Value] | undefined {
  if (a && b && first(a)) return [a, b];
  return a && b && first(b) ? [b, a] : undefined;
}

/** Whether `v` holds one number, or one for each index of the given axis (counted from the end of a value of the given shape). */
export function variesAlong(v: Value, shape: Shape, axis: number): boolean {
  const lead = shape.length - v.shape.length;
  return lead >= 0 && v.shape.every((d, i) => d === 1 || i + lead === axis) && (sizeOf(v.shape) === 1 || axis >= lead);
}

export const isSmaller = (a: Value, b: Value): boolean => sizeOf(a.shape) < sizeOf(b.shape);

/** Matrices transposed, in one Transpose at most. */
export function swapped(v: Value): Value {
  const inner = nodeAs(Transpose, v);
  const order = v.shape.map((_, i) => i);
  const perm = [...(inner?.attributes.perm ?? order)];
  perm.push(...perm.splice(-2).reverse());
  const source = inner?.inputs[0] ?? v;
  return perm.every((p, i) => p === i) ? source : transpose(source, perm);
}
