import { defineOperator, zeroGradient } from "../../graph/operator.js";

export const NonZero = defineOperator({
  name: "NonZero",
  inputs: ["X"],
  infer: ({ inputs: [x], fail }) => {
    if (!x.constant) fail("how many elements are not zero is known at run time only, so its output has no fixed shape");
    const count = Array.from(x.constant!.data as ArrayLike<number | bigint>).filter((v) => Number(v) !== 0).length;
    return [{ type: "int64", shape: [x.shape.length, count] }];
  },
  gradient: zeroGradient("positions are piecewise constant"),
});
