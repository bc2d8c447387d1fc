import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { toNumbers } from "../../tensor/tensor.js";

export const NonZero = defineOperator({
  name: "NonZero",
  inputs: ["X"],
  infer: ({ inputs: [x], fail }) => {
    if (!x.constant) fail("how many elements are not zero is known at run time only, so its output has no fixed shape", "data");
    const count = toNumbers(x.constant!).filter((v) => v !== 0).length;
    return [{ type: "int64", shape: [x.shape.length, count] }];
  },
  gradient: zeroGradient("positions are piecewise constant"),
});
