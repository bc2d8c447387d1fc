import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import { convTranspose } from "../convolution/conv-transpose.js";
import { mul } from "../elementwise/mul.js";
import { resize } from "../resampling/resize.js";
import { type AxisWindow, exactEnd } from "../window.js";

/**
 * The adjoint of the sum over windows: each input position gets the sum of `g` over the windows that contain it.
 *
 * @param g `[N, C, ...output]`
 * @param factor what the sum is multiplied by
 * @returns `[N, C, ...input]`
 */
export function sumOfWindowsAt(g: Value, axes: readonly AxisWindow[], factor = 1): Value {
  // Windows that tile the input repeat their value: 1.1 ms for 2x2 on ONNX Runtime, against 2.3 as ConvTranspose.
  if (axes.every((a) => a.kernel === a.stride && a.dilation === 1 && a.begin === 0 && a.input === a.output * a.kernel))
    return resize(mul(g, factor), { scales: [1, 1, ...axes.map((a) => a.kernel)], coordinates: "asymmetric", nearest: "floor" });
  const kernel = [g.shape[1]!, 1, ...axes.map((a) => a.kernel)];
  const weights = g.graph.constant(tensor(g.type, kernel, new Float64Array(kernel.reduce((p, d) => p * d, 1)).fill(factor)));
  const ends = axes.map(exactEnd);
  return convTranspose(g, weights, {
    strides: axes.map((a) => a.stride),
    dilations: axes.map((a) => a.dilation),
    pads: [...axes.map((a) => a.begin), ...ends.map((e) => Math.max(e, 0))],
    outputPadding: ends.map((e) => Math.max(-e, 0)),
    group: g.shape[1]!,
  });
}
