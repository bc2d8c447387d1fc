import type { Value } from "../../../engine/graph/graph.js";
import { add, expand, mul, reduceMean, reshape, sub } from "../../../engine/operators/index.js";

/** Each channel of [N, C, H, W] `times` times in a row: channel `times` c + k is c. */
export function repeatChannels(x: Value, times: number): Value {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const apart = expand(reshape(x, [n, c, 1, height, width]), [n, c, times, height, width]);
  return reshape(apart, [n, c * times, height, width]);
}

/** The mean of each `count` consecutive channels of [N, C, H, W]. */
export function meanOfChannels(x: Value, count: number): Value {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  return reduceMean(reshape(x, [n, c / count, count, height, width]), [2]);
}

/** (1 - share) low + share · high, as low + share (high - low): one sum for the gradient of the share, not a difference of two. */
export function blend(low: Value, high: Value, share: Value): Value {
  return add(low, mul(sub(high, low), share));
}
