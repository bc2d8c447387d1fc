import { DequantizeLinear } from "./dequantize-linear.js";
import { DynamicQuantizeLinear } from "./dynamic-quantize-linear.js";
import { QuantizeLinear } from "./quantize-linear.js";

export { dequantizeLinear } from "./dequantize-linear.js";
export { dynamicQuantizeLinear } from "./dynamic-quantize-linear.js";
export { quantizeLinear } from "./quantize-linear.js";

export const quantizationOperators = { DequantizeLinear, DynamicQuantizeLinear, QuantizeLinear };
