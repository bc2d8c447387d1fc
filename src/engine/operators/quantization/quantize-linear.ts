import type { Value } from "../../graph/graph.js";
import { defineOperator, int, type Operator } from "../../graph/operator.js";
import { dataTypeOf, elementTypeName } from "../../onnx/tensor-data.js";
import { allocate, sizeOf } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { clip } from "../elementwise/clip.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { neg } from "../elementwise/neg.js";
import { round } from "../elementwise/round.js";
import { emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { greater } from "../logic/greater.js";
import { less } from "../logic/less.js";
import { where } from "../logic/where.js";
import { withGradient } from "../marker.js";
import { sumTo } from "../sum-to.js";
import { quantized } from "./quantized.js";
import { alongAxis, checkScale, scaleLayout } from "./scale.js";

/** `saturate(round(x / scale) + zeroPoint)` in the zero point's type (default uint8); one scale, or one for each slice along `axis`. */
export const quantizeLinear = (x: Value, scale: Value, zeroPoint?: Value, axis = 1): Value =>
  emit(QuantizeLinear, [x, scale, zeroPoint], { axis });

/** The least and greatest number of each type that values are quantized to. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  uint4: [0, 15],
  int4: [-8, 7],
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

export const QuantizeLinear: Operator = defineOperator({
  name: "QuantizeLinear",
  inputs: ["x", "y_scale", "y_zero_point?"],
  outputs: ["y"],
  // opset 21: blocks along the axis, each with a scale; the type (its number), which otherwise is that of the zero point
  attributes: { axis: int(1), block_size: int(0), output_dtype: int(0) },
  integers: { y: "numbers" },
  infer: ({ inputs: [x, scale, zeroPoint], attributes, fail }) => {
    checkScale(x, scale, attributes.axis, fail);
    if (zeroPoint) checkScale(x, zeroPoint, attributes.axis, fail);
    const type = zeroPoint?.type ?? "uint8";
    if (type !== "uint8" && type !== "int8") fail(`it cannot quantize to ${type}`);
    return [{ type, shape: x.shape }];
  },
  // Opset 18 quantizes float32 to 8 bits along an axis; the rest is written out.
  decompose: ({ inputs: [x, scale, zeroPoint], attributes: { axis, block_size, output_dtype }, graph, fail }) => {
    const name = output_dtype === 0 ? (zeroPoint?.type ?? "uint8") : elementTypeName(output_dtype);
    const type = output_dtype === 0 ? (zeroPoint?.type ?? "uint8") : dataTypeOf(output_dtype);
    const range = ranges[name];
    if (!range || !type) return fail(`it cannot quantize to ${name}`);
    const float32 = scale.type === "float32" && (x.type === "float32" || x.type === "int32");
    const eightBits = block_size === 0 && name === type && (type === "uint8" || type === "int8");
    if (eightBits && float32 && output_dtype === 0) return undefined;
    checkScale(x, scale, axis, fail, block_size);
    if (zeroPoint) checkScale(x, zeroPoint, axis, fail, block_size);
    const [real, s] = [cast(x, "float32"), cast(scale, "float32")];
    if (eightBits) {
      const zeros = { type, shape: scale.shape, data: allocate(type, sizeOf(scale.shape)) };
      return [quantizeLinear(real, s, zeroPoint ?? graph.constant(zeros), axis)];
    }
    const layout = scaleLayout(x, axis, block_size);
    const ratio = div(layout.numbers(real), layout.scales(s));
    const point = zeroPoint ? layout.scales(cast(zeroPoint, "float32")) : 0;
    const saturated = clip(withGradient(add(round(ratio), point), add(ratio, point)), ...range);
    const numbers = layout.join(saturated);
    return [quantized(cast(numbers, type), numbers)];
  },
  // y = saturate(round(x / s) + z). The cotangent of y is that of the number it stands for. Straight-through (Bengio et al. 2013, arXiv
  // 1308.3432): rounding passes it on, so dx = g / s and ds = -g x / s² where the rounded number is representable, 0 where it saturates
  // (with DequantizeLinear the scale then gets the gradient of LSQ, Esser et al. 2019, arXiv 1902.08153).
  gradient: ({ inputs: [x, scale, zeroPoint], outputs: [y], attributes: { axis }, options, wanted }, [g]) => {
    if (options.rounding === "zero") return [];
    const s = alongAxis(x, scale, axis);
    const ratio = div(cast(x, s.type), s);
    const rounded = zeroPoint ? add(round(ratio), alongAxis(x, cast(zeroPoint, s.type), axis)) : round(ratio);
    const [low, high] = ranges[y.type]!;
    const dx = where(less(rounded, low), 0, where(greater(rounded, high), 0, div(cast(g, s.type), s)));
    return [wanted[0] ? dx : undefined, wanted[1] ? reshape(neg(sumTo(mul(dx, ratio), s.shape)), scale.shape) : undefined];
  },
});
