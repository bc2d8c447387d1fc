import { DequantizeLinear } from "./dequantize-linear.js";
import { DynamicQuantizeLinear } from "./dynamic-quantize-linear.js";
import { DynamicQuantizeLSTM } from "./dynamic-quantize-lstm.js";
import { DynamicQuantizeMatMul } from "./dynamic-quantize-mat-mul.js";
import { MatMulIntegerToFloat } from "./mat-mul-integer-to-float.js";
import { MatMulNBits } from "./mat-mul-n-bits.js";
import { QLinearReduceMean } from "./q-linear-reduce-mean.js";
import { QLinearWhere } from "./q-linear-where.js";
import { QuantizeLinear } from "./quantize-linear.js";

export { dequantizeLinear } from "./dequantize-linear.js";
export { dynamicQuantizeLinear } from "./dynamic-quantize-linear.js";
export { quantizeLinear } from "./quantize-linear.js";

export const quantizationOperators = {
  DequantizeLinear,
  DynamicQuantizeLinear,
  DynamicQuantizeLSTM,
  DynamicQuantizeMatMul,
  MatMulIntegerToFloat,
  MatMulNBits,
  QLinearReduceMean,
  QLinearWhere,
  QuantizeLinear,
};
