import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { sumTo } from "../sum-to.js";
import { alongAxis, checkScale } from "./scale.js";

/** `(x - zeroPoint) scale`, the number that a quantised one stands for; one scale, or one for each slice along `axis`. */
export const dequantizeLinear = (x: Value, scale: Value, zeroPoint?: Value, axis = 1): Value =>
  emit(DequantizeLinear, [x, scale, zeroPoint], { axis });

export const DequantizeLinear = defineOperator({
  name: "DequantizeLinear",
  inputs: ["x", "x_scale", "x_zero_point?"],
  outputs: ["y"],
  attributes: { axis: int(1) },
  infer: ({ inputs: [x, scale, zeroPoint], attributes, fail }) => {
    checkScale(x, scale, attributes.axis, fail);
    if (zeroPoint) checkScale(x, zeroPoint, attributes.axis, fail);
    if (zeroPoint && zeroPoint.type !== x.type) fail("the zero point must have the input's element type");
    return [{ type: scale.type, shape: x.shape }];
  },
  // y = (x - z) s: dx = g s, ds = Σ g (x - z)
  gradient: ({ inputs: [x, scale, zeroPoint], attributes: { axis }, wanted }, [g]) => {
    const s = alongAxis(x, scale, axis);
    const steps = () => {
      const real = cast(x, scale.type);
      return zeroPoint ? sub(real, alongAxis(x, cast(zeroPoint, scale.type), axis)) : real;
    };
    return [wanted[0] ? mul(g, s) : undefined, wanted[1] ? reshape(sumTo(mul(g, steps()), s.shape), scale.shape) : undefined];
  },
});
