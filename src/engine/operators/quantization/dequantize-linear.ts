import type { Value } from "../../graph/graph.js";
import { defineOperator, int, type Operator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { dataTypeOf } from "../../onnx/tensor-data.js";
import { toNumbers } from "../../tensor/tensor.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { sumTo } from "../sum-to.js";
import { alongAxis, checkScale, scaleLayout } from "./scale.js";

/** `(x - zeroPoint) scale`, the number that a quantized one stands for; one scale, or one for each slice along `axis`. */
export const dequantizeLinear = (x: Value, scale: Value, zeroPoint?: Value, axis = 1): Value =>
  emit(DequantizeLinear, [x, scale, zeroPoint], { axis });

export const DequantizeLinear: Operator = defineOperator({
  name: "DequantizeLinear",
  inputs: ["x", "x_scale", "x_zero_point?"],
  outputs: ["y"],
  // opset 21: blocks along the axis, each with a scale; opset 23: the type of the result (its number), which otherwise is that of the scale
  attributes: { axis: int(1), block_size: int(0), output_dtype: int(0) },
  infer: ({ inputs: [x, scale, zeroPoint], attributes, fail }) => {
    checkScale(x, scale, attributes.axis, fail);
    if (zeroPoint) checkScale(x, zeroPoint, attributes.axis, fail);
    if (zeroPoint && zeroPoint.type !== x.type) fail("the zero point must have the input's element type");
    return [{ type: scale.type, shape: x.shape }];
  },
  range: (context) => {
    const { inputs } = context;
    const [scale, zeroPoint] = [inputs[1]!, inputs[2]].map((v) => (v ? v.constant && toNumbers(v.constant) : [0]));
    const type = inputs[0]!.type;
    const known = scale?.length === 1 && zeroPoint?.length === 1 && (type === "uint8" || type === "int8");
    if (!known) return finite(context);
    const [least, factor, zero] = [type === "int8" ? -128 : 0, scale[0]!, zeroPoint[0]!];
    return { low: (least - zero) * factor, high: (least + 255 - zero) * factor };
  },
  // Opset 18 has 8 and 32 bits, float32 scales along an axis; the rest is written out.
  decompose: ({ inputs: [x, scale, zeroPoint], attributes: { axis, block_size, output_dtype }, fail }) => {
    const type = (output_dtype === 0 ? undefined : dataTypeOf(output_dtype)) ?? scale.type;
    const eightBits = block_size === 0 && (x.type === "uint8" || x.type === "int8" || x.type === "int32");
    if (eightBits && scale.type === "float32" && output_dtype === 0) return undefined;
    checkScale(x, scale, axis, fail, block_size);
    if (zeroPoint) checkScale(x, zeroPoint, axis, fail, block_size);
    const s = cast(scale, "float32");
    if (eightBits) return [cast(dequantizeLinear(x, s, zeroPoint, axis), type)];
    const layout = scaleLayout(x, axis, block_size);
    const steps = layout.numbers(cast(x, "float32"));
    const centerd = zeroPoint ? sub(steps, layout.scales(cast(zeroPoint, "float32"))) : steps;
    return [cast(layout.join(mul(centerd, layout.scales(s))), type)];
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
