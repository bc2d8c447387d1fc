import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import { convTranspose } from "../convolution/conv-transpose.js";
import { type AxisWindow, exactEnd } from "../window.js";

/**
 * The adjoint of the sum over windows: each input position gets the sum of `g` over the windows that contain it.
 *
 * @param g `[N, C, ...output]`
 * @param factor what the sum is multiplied by
 * @returns `[N, C, ...input]`
 */
export function sumOfWindowsAt(g: Value, axes: readonly AxisWindow[], factor = 1): Value {
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
