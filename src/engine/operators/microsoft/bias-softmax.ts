import { defineComposite, int } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { softmax } from "../activation/softmax.js";
import { add } from "../elementwise/add.js";
import { normalizeAxis } from "../emit.js";
import { reshape } from "../layout/reshape.js";

/** Softmax of `data + bias` over the axes from `axis` on together, as ONNX Runtime joins it. */
export const BiasSoftmax = defineComposite({
  name: "BiasSoftmax",
  domain: "com.microsoft",
  inputs: ["data", "bias"],
  attributes: { axis: int(1), is_inner_broadcast: int(0) },
  decompose: ({ inputs: [x, bias], attributes, fail }) => {
    const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
    const rows = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))];
    return [reshape(softmax(reshape(add(x, bias), rows), -1), x.shape)];
  },
});
