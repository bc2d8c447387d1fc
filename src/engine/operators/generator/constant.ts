import type { ValueType } from "../../graph/graph.js";
import { defineOperator, float, floats, int, ints, tensorAttribute, zeroGradient } from "../../graph/operator.js";

export const Constant = defineOperator({
  name: "Constant",
  inputs: [],
  outputs: ["output"],
  attributes: {
    value: tensorAttribute(),
    value_float: float(),
    value_floats: floats(),
    value_int: int(),
    value_ints: ints(),
  },
  infer: ({ attributes: a, fail }): readonly ValueType[] => {
    if (a.value) return [{ type: a.value.type, shape: a.value.shape }];
    if (a.value_float !== undefined) return [{ type: "float32", shape: [] }];
    if (a.value_floats) return [{ type: "float32", shape: [a.value_floats.length] }];
    if (a.value_int !== undefined) return [{ type: "int64", shape: [] }];
    if (a.value_ints) return [{ type: "int64", shape: [a.value_ints.length] }];
    return fail("it holds no value (strings and sparse tensors are not read)");
  },
  gradient: zeroGradient("it has no inputs"),
});
