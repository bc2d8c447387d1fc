import { defineComposite, flag, ints, required } from "../../graph/operator.js";
import { emit } from "../emit.js";
import { transpose } from "../layout/transpose.js";
import { MaxPool } from "../pooling/max-pool.js";
import { windowAttributes } from "../window.js";

/** MaxPool of quantized images whose channels come last: `[N, ...spatial, C]`. */
export const NhwcMaxPool = defineComposite({
  name: "NhwcMaxPool",
  domain: "com.microsoft",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { ...windowAttributes, kernel_shape: required(ints()), dilations: ints(), ceil_mode: flag(0) },
  decompose: ({ inputs: [x], attributes, fail }) => {
    const axes = x.shape.map((_, i) => i);
    if (axes.length < 3) fail("its input must be [N, ...spatial, C]");
    const first = transpose(x, [0, axes.length - 1, ...axes.slice(1, -1)]);
    return [transpose(emit(MaxPool, [first], attributes), [0, ...axes.slice(2), 1])];
  },
});
