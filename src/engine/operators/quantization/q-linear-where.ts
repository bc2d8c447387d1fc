import { defineComposite } from "../../graph/operator.js";
import { where } from "../logic/where.js";
import { dequantizeLinear } from "./dequantize-linear.js";
import { quantizeLinear } from "./quantize-linear.js";

/** `condition ? X : Y` of numbers that are quantized in two ways, quantized in a third. */
export const QLinearWhere = defineComposite({
  name: "QLinearWhere",
  domain: "com.microsoft",
  inputs: ["condition", "X", "x_scale", "x_zero_point", "Y", "y_scale", "y_zero_point", "z_scale", "z_zero_point"],
  outputs: ["Z"],
  decompose: ({ inputs: [condition, x, xScale, xZeroPoint, y, yScale, yZeroPoint, zScale, zZeroPoint] }) => [
    quantizeLinear(
      where(condition, dequantizeLinear(x, xScale, xZeroPoint), dequantizeLinear(y, yScale, yZeroPoint)),
      zScale,
      zZeroPoint,
    ),
  ],
});
