import type { Value } from "../../graph/graph.js";
import { defineOperator, required, string } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { expand } from "../layout/expand.js";
import { reshape } from "../layout/reshape.js";
import { sumTo } from "../sum-to.js";
import { type Equation, parseEquation } from "./equation.js";

/**
 * Sums of products by Einstein's convention.
 *
 * @example einsum("bij,bjk->bik", a, b) // a batch of matrix products
 */
export const einsum = (equation: string, ...operands: readonly Value[]): Value => emit(Einsum, operands, { equation });

export const Einsum = defineOperator({
  name: "Einsum",
  inputs: ["...Inputs"],
  outputs: ["Output"],
  attributes: { equation: required(string()) },
  flops: ({ inputs, attributes }) => 2 * sizeOf([...parse(inputs, attributes.equation, impossible).sizes.values()]),
  infer: ({ inputs, attributes, fail }) => {
    const { output, sizes } = parse(inputs, attributes.equation, fail);
    return [{ type: inputs[0]!.type, shape: [...output].map((letter) => sizes.get(letter)!) }];
  },
  range: finite,
  // every product is linear in each operand: d operandᵢ = the sum of products of the cotangent and the other operands
  gradient: ({ inputs, attributes, wanted, fail }, [g]) => {
    const equation = parse(inputs, attributes.equation, fail);
    return inputs.map((x, i) => (wanted[i] ? operandGradient(equation, inputs, x, i, g) : undefined));
  },
});

/** The shape rule has read the equation before. */
const impossible = (message: string): never => {
  throw new Error(message);
};

function parse(inputs: readonly Value[], equation: string, fail: (message: string) => never): Equation {
  return parseEquation(
    equation,
    inputs.map((x) => x.shape),
    fail,
  );
}

function operandGradient({ terms, output, sizes }: Equation, inputs: readonly Value[], x: Value, i: number, g: Value): Value {
  const others = inputs.flatMap((v, j) => (j === i ? [] : [{ v, term: terms[j]! }]));
  const operands = [{ v: g, term: output }, ...others];
  const letters = [...new Set(terms[i]!)];
  const known = letters.filter((letter) => operands.some(({ term }) => term.includes(letter)));
  const product = multiply(operands, known.join(""));
  // a letter of this operand alone was summed out: its axis repeats the cotangent
  const withAll = expand(
    reshape(
      product,
      letters.map((letter) => (known.includes(letter) ? product.shape[known.indexOf(letter)]! : 1)),
    ),
    letters.map((letter) => sizes.get(letter)!),
  );
  const whole = terms[i]!.length === letters.length ? withAll : diagonal(withAll, letters, terms[i]!);
  return sumTo(whole, x.shape);
}

/** The product of operands, summed over the letters that `result` lacks. Scalars are multiplied separately: Einsum takes none. */
function multiply(operands: readonly { readonly v: Value; readonly term: string }[], result: string): Value {
  const scalars = operands.filter(({ term }) => term === "");
  const tensors = operands.filter(({ term }) => term !== "");
  const only = tensors.length === 1 ? tensors[0]! : undefined;
  const product =
    only?.term === result
      ? only.v
      : tensors.length > 0
        ? einsum(`${tensors.map(({ term }) => term).join(",")}->${result}`, ...tensors.map(({ v }) => v))
        : undefined;
  const factors = [...(product ? [product] : []), ...scalars.map(({ v }) => v)];
  return factors.reduce(mul);
}

/** Lays a tensor with one axis for each letter out along the subscripts `term`, in which letters repeat: zero off the diagonals. */
function diagonal(x: Value, letters: readonly string[], term: string): Value {
  const size = (letter: string) => x.shape[letters.indexOf(letter)]!;
  const first = [...term].map((letter, axis) => (term.indexOf(letter) === axis ? size(letter) : 1));
  let whole = reshape(x, first);
  [...term].forEach((letter, axis) => {
    const start = term.indexOf(letter);
    if (start === axis) return;
    const n = size(letter);
    const shape = first.map((_, k) => (k === axis || k === start ? n : 1));
    const identity = Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0));
    whole = mul(whole, x.graph.constant(tensor(x.type, shape, identity)));
  });
  return whole;
}
