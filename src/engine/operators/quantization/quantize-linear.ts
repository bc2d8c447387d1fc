import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import type { DataType } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { neg } from "../elementwise/neg.js";
import { round } from "../elementwise/round.js";
import { emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { greater } from "../logic/greater.js";
import { less } from "../logic/less.js";
import { where } from "../logic/where.js";
import { sumTo } from "../sum-to.js";
import { alongAxis, checkScale } from "./scale.js";

/** `saturate(round(x / scale) + zeroPoint)` in the zero point's type (default uint8); one scale, or one for each slice along `axis`. */
export const quantizeLinear = (x: Value, scale: Value, zeroPoint?: Value, axis = 1): Value =>
  emit(QuantizeLinear, [x, scale, zeroPoint], { axis });

/** The least and greatest number of each type that values are quantised to. */
const ranges: Partial<Record<DataType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

export const QuantizeLinear = defineOperator({
  name: "QuantizeLinear",
  inputs: ["x", "y_scale", "y_zero_point?"],
  outputs: ["y"],
  attributes: { axis: int(1) },
  integers: { y: "numbers" },
  infer: ({ inputs: [x, scale, zeroPoint], attributes, fail }) => {
    checkScale(x, scale, attributes.axis, fail);
    if (zeroPoint) checkScale(x, zeroPoint, attributes.axis, fail);
    const type = zeroPoint?.type ?? "uint8";
    if (!ranges[type]) fail(`it cannot quantise to ${type}`);
    return [{ type, shape: x.shape }];
  },
  // y = saturate(round(x / s) + z). The cotangent of y is that of the number it stands for. Straight-through (Bengio et al. 2013, arXiv
  // 1308.3432): rounding passes it on, so dx = g / s and ds = -g x / s² where the rounded number is representable, 0 where it saturates
  // (with DequantizeLinear the scale then gets the gradient of LSQ, Esser et al. 2019, arXiv 1902.08153).
  gradient: ({ inputs: [x, scale, zeroPoint], outputs: [y], attributes: { axis }, options, wanted }, [g]) => {
    if (options.rounding === "zero") return [];
    const s = alongAxis(x, scale, axis);
    const ratio = div(x, s);
    const rounded = zeroPoint ? add(round(ratio), alongAxis(x, cast(zeroPoint, x.type), axis)) : round(ratio);
    const [low, high] = ranges[y.type]!;
    const dx = where(less(rounded, low), 0, where(greater(rounded, high), 0, div(cast(g, s.type), s)));
    return [wanted[0] ? dx : undefined, wanted[1] ? reshape(neg(sumTo(mul(dx, ratio), s.shape)), scale.shape) : undefined];
  },
});
