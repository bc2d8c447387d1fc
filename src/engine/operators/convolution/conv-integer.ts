import type { Value } from "../../graph/graph.js";
import { defineOperator, int, ints } from "../../graph/operator.js";
import { cast } from "../elementwise/cast.js";
import { sub } from "../elementwise/sub.js";
import { emit } from "../emit.js";
import { alongAxis } from "../quantization/scale.js";
import { windowAttributes, windows } from "../window.js";
import type { ConvOptions } from "./conv.js";
import { convInputGradient } from "./conv-input-gradient.js";
import { convWeightGradient } from "./conv-weight-gradient.js";

/** Convolution of 8-bit integers with 32-bit sums; `zeroPoints` are subtracted from input and weights first. See `conv`. */
export const convInteger = (
  x: Value,
  w: Value,
  zeroPoints: { readonly x?: Value; readonly w?: Value } = {},
  { autoPad, ...attributes }: Omit<ConvOptions, "bias"> = {},
): Value =>
  emit(ConvInteger, [x, w, zeroPoints.x, zeroPoints.w], { ...attributes, auto_pad: autoPad, kernel_shape: w.shape.slice(2) });

export const ConvInteger = defineOperator({
  name: "ConvInteger",
  inputs: ["x", "w", "x_zero_point?", "w_zero_point?"],
  outputs: ["y"],
  attributes: { ...windowAttributes, dilations: ints(), group: int(1) },
  infer: ({ inputs: [x, w], attributes, fail }) => {
    if (x.shape.length < 3 || w.shape.length !== x.shape.length)
      fail("x and w need batch, channel and spatial axes of one number");
    if (x.shape[1] !== w.shape[1]! * attributes.group || w.shape[0]! % attributes.group !== 0)
      fail(`the channels do not fit ${attributes.group} groups`);
    const axes = windows(x.shape.slice(2), w.shape.slice(2), attributes, fail);
    return [{ type: "int32", shape: [x.shape[0]!, w.shape[0]!, ...axes.map((a) => a.output)] }];
  },
  // that of Conv: quantized values carry the cotangents of the numbers they stand for (see QuantizeLinear)
  gradient: ({ inputs: [x, w, xZeroPoint, wZeroPoint], attributes, wanted, fail }, [g]) => {
    const axes = windows(x.shape.slice(2), w.shape.slice(2), attributes, fail);
    const perChannel = wZeroPoint && alongAxis(w, wZeroPoint, 0);
    const real = (v: Value, zero: Value | undefined) => (zero ? sub(cast(v, g.type), cast(zero, g.type)) : cast(v, g.type));
    return [
      wanted[0] ? convInputGradient(g, real(w, perChannel), axes, attributes.group) : undefined,
      wanted[1] ? convWeightGradient(real(x, xZeroPoint), g, axes, attributes.group) : undefined,
    ];
  },
});
