import type { Value } from "../../graph/graph.js";
import { convTranspose } from "../../operators/convolution/conv-transpose.js";
import { sub } from "../../operators/elementwise/sub.js";
import { scalar } from "../../operators/emit.js";
import { concat } from "../../operators/layout/concat.js";
import { pad } from "../../operators/layout/pad.js";
import { reshape } from "../../operators/layout/reshape.js";
import { slice } from "../../operators/layout/slice.js";
import { equal } from "../../operators/logic/equal.js";
import { greater } from "../../operators/logic/greater.js";
import { where } from "../../operators/logic/where.js";
import { poolWindows } from "../../operators/pooling/pool.js";
import { type AxisWindow, exactEnd } from "../../operators/window.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import type { Rewrite } from "../rewrite.js";
import { poolGradientOf } from "./max-pool-gradient.js";

/**
 * The gradient of MaxPool without its Indices, which WebGPU lacks. Each tap of the window is a strided Slice of the padded input; the first
 * one (row-major) that equals the maximum takes the cotangent. ConvTranspose with a one-hot kernel for each tap puts all of them in their
 * places and sums where windows overlap.
 */
export const maxPoolWindows: Rewrite = {
  name: "max-pool-windows",
  scope: "gradient",
  keeps: "rounding",
  providers: ["webgpu"],
  measured:
    "needed: WebGPU has no MaxPool with Indices; on the CPU 2 to 5 times as slow as Indices and ScatterElements (gradient study)",
  apply: (node) => {
    const gradient = poolGradientOf(node);
    if (!gradient) return undefined;
    const { pool, x, g } = gradient;
    const fail = (message: string): never => {
      throw new Error(message);
    };
    const axes = poolWindows({ inputs: [x], attributes: pool.attributes, fail });
    return [placed(atFirstMaxima(g, x, pool.outputs[0], axes), axes)];
  },
};

/** For each tap of the window, row-major, the cotangent where it holds the first maximum of its window, and 0 elsewhere. */
function atFirstMaxima(g: Value, x: Value, y: Value, axes: readonly AxisWindow[]): Value[] {
  const lowest = -3.4028234663852886e38;
  const ends = axes.map((a) => Math.max(exactEnd(a), 0));
  const padded = pad(x, [0, 0, ...axes.map((a) => a.begin), 0, 0, ...ends], "constant", lowest);
  const spatial = axes.map((_, i) => i + 2);
  let open: Value | undefined;
  return taps(axes).map((tap) => {
    const starts = tap.map((k, i) => k * axes[i]!.dilation);
    const stops = starts.map((s, i) => s + (axes[i]!.output - 1) * axes[i]!.stride + 1);
    const values = slice(padded, starts, stops, { axes: spatial, steps: axes.map((a) => a.stride) });
    const isMaximum = equal(values, y);
    const taken = open ? where(greater(open, 0), g, 0) : g;
    open = sub(open ?? 1, where(isMaximum, open ?? scalar(x.graph, 1, x.type), 0));
    return where(isMaximum, taken, 0);
  });
}

/** All positions in the window, row-major. */
function taps(axes: readonly AxisWindow[]): number[][] {
  return axes.reduce<number[][]>(
    (all, { kernel }) => all.flatMap((tap) => Array.from({ length: kernel }, (_, k) => [...tap, k])),
    [[]],
  );
}

/** Adds each tap's values to the input positions that the tap reads. */
function placed(values: readonly Value[], axes: readonly AxisWindow[]): Value {
  const [n, c, ...output] = values[0]!.shape as [number, number, ...number[]];
  const stacked = concat(
    values.map((v) => reshape(v, [n, c, 1, ...output])),
    2,
  );
  const kernel = axes.map((a) => a.kernel);
  const count = sizeOf(kernel);
  const oneHot = new Float32Array(c * count * count);
  for (let i = 0; i < c * count; i++) oneHot[i * count + (i % count)] = 1;
  const ends = axes.map(exactEnd);
  return convTranspose(
    reshape(stacked, [n, c * count, ...output]),
    values[0]!.graph.constant(tensor("float32", [c * count, 1, ...kernel], oneHot)),
    {
      strides: axes.map((a) => a.stride),
      dilations: axes.map((a) => a.dilation),
      pads: [...axes.map((a) => a.begin), ...ends.map((e) => Math.max(e, 0))],
      outputPadding: ends.map((e) => Math.max(-e, 0)),
      group: c,
    },
  );
}
