import type { Value } from "../../graph/graph.js";
import { defineOperator, float } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { sumTo } from "../sum-to.js";
import { standardize, standardizeGradient } from "./standardize.js";

/** Each channel of each image standardized over its pixels, then scaled and shifted; `x` is `[N, C, ...]`, `scale` and `bias` are `[C]`. */
export const instanceNormalization = (x: Value, scale: Value, bias: Value, epsilon = 1e-5): Value =>
  emit(InstanceNormalization, [x, scale, bias], { epsilon });

export const InstanceNormalization = defineOperator({
  name: "InstanceNormalization",
  inputs: ["input", "scale", "B"],
  outputs: ["output"],
  attributes: { epsilon: float(1e-5) },
  infer: ({ inputs: [x, scale, bias], fail }) => {
    if (x.shape.length < 3) fail("its input must be [N, C, ...]");
    for (const p of [scale, bias]) {
      if (p.shape.length !== 1 || p.shape[0] !== x.shape[1]) fail(`scale and B must be [${x.shape[1]}]`);
    }
    return [x];
  },
  range: finite,
  // ONNX Runtime 1.30 has no float64 kernel, and its float32 kernel may end the process where there is no element
  decompose: ({ inputs: [x, scale, bias], attributes: { epsilon } }) => {
    const isEmpty = x.shape.includes(0);
    if ((x.type !== "float64" && !isEmpty) || x.shape.length < 3) return undefined;
    const { pixels, channels } = axesOf(x);
    const normalized = isEmpty ? x : standardize(x, pixels, epsilon).normalized;
    return [add(mul(normalized, reshape(scale, channels)), reshape(bias, channels))];
  },
  // y = scale x̂ + B with x̂ standardized over the pixels: dx = standardize'(scale g), dscale = Σ g x̂, dB = Σ g
  gradient: ({ inputs: [x, scale], attributes: { epsilon }, wanted }, [g]) => {
    const { pixels, channels } = axesOf(x);
    const standardized = standardize(x, pixels, epsilon);
    const perChannelSum = (v: Value) => reshape(sumTo(v, channels), scale.shape);
    return [
      wanted[0] ? standardizeGradient(standardized, mul(g, reshape(scale, channels)), pixels) : undefined,
      wanted[1] ? perChannelSum(mul(g, standardized.normalized)) : undefined,
      wanted[2] ? perChannelSum(g) : undefined,
    ];
  },
});

/** The axes over which statistics are taken, and the shape in which one number for each channel broadcasts to `x`. */
function axesOf(x: Value) {
  const pixels = x.shape.flatMap((_, axis) => (axis >= 2 ? [axis] : []));
  return { pixels, channels: [x.shape[1]!, ...pixels.map(() => 1)] };
}
