import type { Value } from "../../graph/graph.js";
import { defineComposite } from "../../graph/operator.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { matMulInteger } from "../linear/mat-mul-integer.js";

interface Quantized {
  readonly value: Value;
  /** One number, or (of the right factor) one for each column. */
  readonly scale: Value;
  readonly zeroPoint: Value | undefined;
}

/** The product of the real numbers that two quantized matrices stand for: a sum of whole numbers, scaled once. */
export function realProduct(a: Quantized, b: Quantized, bias: Value | undefined): Value {
  const sums = matMulInteger(a.value, b.value, a.zeroPoint, b.zeroPoint);
  const product = mul(cast(sums, a.scale.type), mul(a.scale, b.scale));
  return bias ? add(product, bias) : product;
}

/** `(A - a_zero_point) (B - b_zero_point) a_scale b_scale + bias`. */
export const MatMulIntegerToFloat = defineComposite({
  name: "MatMulIntegerToFloat",
  domain: "com.microsoft",
  inputs: ["A", "B", "a_scale", "b_scale", "a_zero_point?", "b_zero_point?", "bias?"],
  decompose: ({ inputs: [a, b, aScale, bScale, aZeroPoint, bZeroPoint, bias] }) => [
    realProduct({ value: a, scale: aScale, zeroPoint: aZeroPoint }, { value: b, scale: bScale, zeroPoint: bZeroPoint }, bias),
  ],
});
