import { defineComposite } from "../../graph/operator.js";
import { dynamicQuantizeLinear } from "./dynamic-quantize-linear.js";
import { realProduct } from "./mat-mul-integer-to-float.js";

/** `A B + bias` with A quantized over its range, as ONNX Runtime fuses what `quantize_dynamic` writes. */
export const DynamicQuantizeMatMul = defineComposite({
  name: "DynamicQuantizeMatMul",
  domain: "com.microsoft",
  inputs: ["A", "B", "b_scale", "b_zero_point?", "bias?"],
  mixesSamples: true,
  decompose: ({ inputs: [a, b, bScale, bZeroPoint, bias] }) => {
    const { y, scale, zeroPoint } = dynamicQuantizeLinear(a);
    return [realProduct({ value: y, scale, zeroPoint }, { value: b, scale: bScale, zeroPoint: bZeroPoint }, bias)];
  },
});
