import type { Value } from "../../../engine/graph/graph.js";
import { add, concat, leakyRelu, mul, pad, reduceMean, slice } from "../../../engine/operators/index.js";
import { channels, conv2d } from "../layers/convolution.js";
import { spatial } from "../layers/padding.js";
import { resizeBilinear } from "../layers/resize.js";
import { warp } from "../layers/warp.js";
import type { ImageNetwork } from "../model.js";
import { type DownsamplingName, multipleFor } from "../resampling/index.js";
import type { Scope } from "../scope.js";
import { halvedConv2d } from "./halved.js";

/**
 * A small optical-flow network after PWC-Net (Sun et al. 2018, arXiv 1709.02371): a shared pyramid, then from coarse to fine warping of the
 * second frame's features by the flow so far, correlation with the first's, and convolutions that add a correction.
 */
export interface FlowConfiguration extends ImageNetwork {
  readonly family: "flow";
  /** Channels of the finest level (a quarter of the size); they double on each level. */
  readonly width: number;
  /** Pyramid levels, at a quarter, an eighth ... of the size. */
  readonly levels: number;
  /** Correlations reach so many positions up, down, left and right. */
  readonly radius: number;
  /** Of the pyramid; default "strided". Estimates are enlarged bilinearly whatever is chosen here. */
  readonly down?: DownsamplingName;
}

/** Sides must be multiples of this. */
export const flowMultiple = ({ levels, down = "strided" }: FlowConfiguration): number =>
  Math.max(2 ** (levels + 1), multipleFor(down, levels + 1));

/**
 * Flow (x, y) in pixels, [N, 2, H, W], of two frames [N, 3, H, W] whose sides are multiples of 2^(levels + 1): first(p) matches
 * second(p + flow(p)).
 */
export function flow(
  p: Scope,
  first: Value,
  second: Value,
  { width, levels, radius, down = "strided" }: FlowConfiguration,
): Value {
  const pyramids = [first, second].map((frame) => pyramid(p.at("pyramid"), frame, width, levels, down));
  let estimate: Value | undefined;
  for (let level = levels - 1; level >= 0; level--) {
    const [a, b] = pyramids.map((features) => features[level]!) as [Value, Value];
    const coarse = estimate && mul(resizeBilinear(estimate, spatial(a)), 2);
    const costs = leakyRelu(correlation(a, coarse ? warp(b, coarse) : b, radius), 0.1);
    const correction = decode(p.at("decoders", level), concat(coarse ? [costs, a, coarse] : [costs, a], 1), channels(a));
    estimate = coarse ? add(coarse, correction) : correction;
  }
  return mul(resizeBilinear(estimate!, spatial(first)), 4);
}

function pyramid(p: Scope, frame: Value, width: number, levels: number, down: DownsamplingName): Value[] {
  let x = leakyRelu(halvedConv2d(p.at("stem"), frame, { out: width, kernel: 7 }, down), 0.1);
  return Array.from({ length: levels }, (_, level) => {
    const options = { out: width * 2 ** level, kernel: 3 };
    x = leakyRelu(halvedConv2d(p.at(level, 0), x, options, down), 0.1);
    x = leakyRelu(conv2d(p.at(level, 1), x, options), 0.1);
    return x;
  });
}

/** Mean over channels of a(p) · b(p + d) for every shift d of at most `radius`, zeros outside: [N, (2 radius + 1)², H, W]. */
export function correlation(a: Value, b: Value, radius: number): Value {
  const [height, width] = spatial(a);
  const around = pad(b, [0, 0, radius, radius, 0, 0, radius, radius]);
  const shifts = Array.from({ length: 2 * radius + 1 }, (_, i) => i);
  return concat(
    shifts.flatMap((dy) =>
      shifts.map((dx) => reduceMean(mul(a, slice(around, [dy, dx], [dy + height, dx + width], { axes: [2, 3] })), [1], "keep")),
    ),
    1,
  );
}

function decode(p: Scope, input: Value, width: number): Value {
  let x = leakyRelu(conv2d(p.at(0), input, { out: 2 * width, kernel: 3 }), 0.1);
  x = leakyRelu(conv2d(p.at(1), x, { out: width, kernel: 3 }), 0.1);
  return conv2d(p.at(2), x, { out: 2, kernel: 3 });
}
