import { defineComposite, float, floats, int, ints, string, strings, tensorAttribute } from "../../graph/operator.js";
import { type Tensor, tensor } from "../../tensor/tensor.js";

/** A constant of the file. In a graph constants are values of their own, without a node. */
export const Constant = defineComposite({
  name: "Constant",
  inputs: [],
  outputs: ["output"],
  attributes: {
    value: tensorAttribute(),
    sparse_value: tensorAttribute(),
    value_float: float(),
    value_floats: floats(),
    value_int: int(),
    value_ints: ints(),
    value_string: string(),
    value_strings: strings(),
  },
  decompose: ({ graph, attributes: a, fail }) => {
    const t: Tensor | undefined =
      a.value ??
      a.sparse_value ??
      (a.value_float !== undefined ? tensor("float32", [], [a.value_float]) : undefined) ??
      (a.value_floats && tensor("float32", [a.value_floats.length], a.value_floats)) ??
      (a.value_int !== undefined ? int64([], [a.value_int]) : undefined) ??
      (a.value_ints && int64([a.value_ints.length], a.value_ints));
    return [graph.constant(t ?? fail("it holds no number, and Faultline works on numbers only"))];
  },
});

/** INT64_MAX, "to the end" of a Slice, was rounded up to 2^63 when it became a number: it saturates. */
function int64(shape: readonly number[], values: readonly number[]): Tensor {
  const data = BigInt64Array.from(values, (v) => (v >= 2 ** 63 ? 2n ** 63n - 1n : v <= -(2 ** 63) ? -(2n ** 63n) : BigInt(v)));
  return tensor("int64", shape, data);
}
