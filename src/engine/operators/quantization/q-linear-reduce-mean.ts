import { defineComposite, flag, ints } from "../../graph/operator.js";
import { reduceMean } from "../reduction/reduce-mean.js";
import { dequantizeLinear } from "./dequantize-linear.js";
import { quantizeLinear } from "./quantize-linear.js";

/** The mean over axes (default: all) of quantized numbers, quantized. */
export const QLinearReduceMean = defineComposite({
  name: "QLinearReduceMean",
  domain: "com.microsoft",
  inputs: ["data", "data_scale", "data_zero_point?", "reduced_scale", "reduced_zero_point?"],
  attributes: { axes: ints(), keepdims: flag(1) },
  decompose: ({ inputs: [x, xScale, xZeroPoint, yScale, yZeroPoint], attributes: { axes, keepdims } }) => {
    const all = axes && axes.length > 0 ? axes : undefined;
    const mean = reduceMean(dequantizeLinear(x, xScale, xZeroPoint), all, keepdims ? "keep" : "drop");
    return [quantizeLinear(mean, yScale, yZeroPoint)];
  },
});
