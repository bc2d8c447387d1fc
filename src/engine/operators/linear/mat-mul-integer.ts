import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { cast } from "../elementwise/cast.js";
import { sub } from "../elementwise/sub.js";
import { emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { matMulGradient, matMulShape } from "./mat-mul.js";

/** `(A - aZeroPoint) (B - bZeroPoint)` of 8-bit whole numbers, exactly, as int32. Zero points are per tensor, per row of A, per column of B. */
export const matMulInteger = (a: Value, b: Value, aZeroPoint?: Value, bZeroPoint?: Value): Value =>
  emit(MatMulInteger, [a, b, aZeroPoint, bZeroPoint]);

export const MatMulInteger = defineOperator({
  name: "MatMulInteger",
  inputs: ["A", "B", "a_zero_point?", "b_zero_point?"],
  infer: ({ inputs: [a, b], fail }) => {
    for (const v of [a, b]) if (v.type !== "int8" && v.type !== "uint8") fail("A and B must be int8 or uint8");
    return [{ type: "int32", shape: matMulShape(a, b, fail) }];
  },
  // that of MatMul: quantized values carry the cotangents of the numbers they stand for (see QuantizeLinear)
  gradient: ({ inputs: [a, b, aZeroPoint, bZeroPoint], wanted }, [g]) => {
    const rowwise = aZeroPoint && aZeroPoint.shape.length === 1 ? reshape(aZeroPoint, [...aZeroPoint.shape, 1]) : aZeroPoint;
    const centerd = (v: Value, zero: Value | undefined) => (zero ? sub(cast(v, g.type), cast(zero, g.type)) : cast(v, g.type));
    return matMulGradient(centerd(a, rowwise), centerd(b, bZeroPoint), g, wanted);
  },
});
