import { type Tensor, tensor } from "../../tensor/tensor.js";
import { always, type Conversion, int64Tensor, type Rewrite } from "./conversion.js";

/** The value of a Constant node, in any of its attribute forms. */
function valueIn(to: Rewrite): Tensor {
  const { attributes } = to.node;
  for (const name of ["value", "sparse_value", "value_int", "value_ints", "value_float", "value_floats"]) {
    const attribute = attributes[name];
    switch (attribute?.kind) {
      case "tensor":
        return attribute.value;
      case "int":
        return int64Tensor([], [attribute.value]);
      case "ints":
        return int64Tensor([attribute.value.length], attribute.value);
      case "float":
        return tensor("float32", [], [attribute.value]);
      case "floats":
        return tensor("float32", [attribute.value.length], attribute.value);
    }
  }
  return to.refuse("holds no number, and Faultline works on numbers only");
}

export const constant: readonly Conversion[] = [
  {
    op: "Constant",
    ...always,
    inputs: 0,
    convert: (node, to) => {
      const name = node.outputs[0];
      if (name !== undefined) to.scope.define(name, valueIn(to));
    },
  },
];
