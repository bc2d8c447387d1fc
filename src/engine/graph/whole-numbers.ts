import { numberAt, sizeOf } from "../tensor/tensor.js";
import type { Value } from "./graph.js";

/** A whole number: a constant, or plus or minus an element of a tensor plus a constant. */
export interface WholeNumber {
  readonly of?: { readonly value: Value; readonly index: number; readonly sign: 1 | -1 };
  readonly plus: number;
}

/** Vectors of more elements are no shapes or places, and are not looked into. */
const longest = 64;

/**
 * The elements of a whole-number value, followed through what exporters compute shapes and places with: sums and differences, and what moves elements.
 *
 * @returns undefined for what is too long to be a shape.
 * @example wholeNumbersOf(concat([add(start, 3), two], 0)) // start[0] + 3, 2
 */
export function wholeNumbersOf(v: Value): readonly WholeNumber[] | undefined {
  const count = sizeOf(v.shape);
  if (count > longest) return undefined;
  const { constant, node } = v;
  if (constant) return Array.from({ length: count }, (_, i) => ({ plus: numberAt(constant, i) }));
  const own = Array.from({ length: count }, (_, index): WholeNumber => ({ of: { value: v, index, sign: 1 }, plus: 0 }));
  const rule = node?.operator.wholeNumbers;
  if (!node || !rule) return own;
  const operands = node.inputs.map((input) => (input?.type.startsWith("int") ? wholeNumbersOf(input) : undefined));
  return rule(operands, count) ?? own;
}

/** `a + b`, where it is one number again. */
export function plus(a: WholeNumber, b: WholeNumber): WholeNumber | undefined {
  const sum = a.plus + b.plus;
  if (!a.of || !b.of) return { ...((a.of ?? b.of) ? { of: a.of ?? b.of! } : {}), plus: sum };
  const cancel = a.of.value === b.of.value && a.of.index === b.of.index && a.of.sign === -b.of.sign;
  return cancel ? { plus: sum } : undefined;
}

export function minus(a: WholeNumber, b: WholeNumber): WholeNumber | undefined {
  return plus(a, { ...(b.of && { of: { ...b.of, sign: b.of.sign === 1 ? -1 : 1 } }), plus: -b.plus });
}

type Operands = readonly (readonly WholeNumber[] | undefined)[];

/** The elements of a node's output from those of its operands (undefined for those that are no whole numbers): a fact on the operator's definition. */
export type WholeNumbersRule = (operands: Operands, count: number) => readonly WholeNumber[] | undefined;

/** The elements of the first operand, in their order. */
export const moved: WholeNumbersRule = ([x]) => x;

/** The elements of all operands, one after the other: those of vectors that are joined. */
export const joined: WholeNumbersRule = (operands) =>
  operands.every((list) => list !== undefined) ? operands.flat() : undefined;

/** Element by element, where both operands have all elements or one. */
export const combined =
  (combine: typeof plus): WholeNumbersRule =>
  ([x, y], count) => {
    if (!x || !y || ![x, y].every((list) => list.length === count || list.length === 1)) return undefined;
    const results = Array.from({ length: count }, (_, i) => combine(x[x.length === 1 ? 0 : i]!, y[y.length === 1 ? 0 : i]!));
    return results.every((result) => result !== undefined) ? results : undefined;
  };
