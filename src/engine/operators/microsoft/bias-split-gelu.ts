import { defineComposite } from "../../graph/operator.js";
import { gelu } from "../activation/gelu.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { split } from "../layout/split.js";

/** Left half times GELU of the right half of `X + bias` (GEGLU, Shazeer 2020, arXiv 2002.05202), as ONNX Runtime joins it. */
export const BiasSplitGelu = defineComposite({
  name: "BiasSplitGelu",
  domain: "com.microsoft",
  inputs: ["X", "bias"],
  decompose: ({ inputs: [x, bias], fail }) => {
    const last = x.shape.length - 1;
    const width = x.shape[last]! / 2;
    if (!Number.isInteger(width)) fail("its last axis must have an even size");
    const [left, right] = split(add(x, bias), last, [width, width]);
    return [mul(left!, gelu(right!))];
  },
});
