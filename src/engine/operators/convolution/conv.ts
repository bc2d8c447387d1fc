import type { Value } from "../../graph/graph.js";
import { defineOperator, int, ints } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { sizeOf } from "../../tensor/tensor.js";
import { emit } from "../emit.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { type AutoPad, windowAttributes, windows } from "../window.js";
import { convInputGradient } from "./conv-input-gradient.js";
import { convWeightGradient } from "./conv-weight-gradient.js";

export interface ConvOptions {
  /** One number per output channel. */
  readonly bias?: Value;
  /** Steps of the window, one per spatial axis; default 1. */
  readonly strides?: readonly number[];
  /** Zeros before each spatial axis, then behind each: `[top, left, bottom, right]`; default 0. */
  readonly pads?: readonly number[];
  /** Distance between the taps of the window; default 1. */
  readonly dilations?: readonly number[];
  /** Channels are split into so many groups that do not see each other; default 1. */
  readonly group?: number;
  /** Instead of `pads`: SAME_UPPER and SAME_LOWER pad so that the output has ceil(size / stride) elements. */
  readonly autoPad?: AutoPad;
}

/**
 * Convolution (cross-correlation) over 1 to 3 spatial axes:
 * `y[n, m, o] = b[m] + Σ_{c, k} w[m, c, k] · x[n, c, o·stride + k·dilation - pad]`.
 *
 * @param x `[N, C, ...spatial]`
 * @param w `[M, C / group, ...kernel]`
 * @throws GraphError when channels, group or attributes do not fit.
 * @example const y = conv(x, w, { bias: b, pads: [1, 1, 1, 1], strides: [2, 2] });
 */
export const conv = (x: Value, w: Value, { bias, autoPad, ...attributes }: ConvOptions = {}): Value =>
  emit(Conv, [x, w, bias], { ...attributes, auto_pad: autoPad, kernel_shape: w.shape.slice(2) });

export const Conv = defineOperator({
  name: "Conv",
  inputs: ["X", "W", "B?"],
  attributes: { ...windowAttributes, dilations: ints(), group: int(1) },
  flops: ({ inputs: [, w], outputs: [y] }) => 2 * sizeOf(y!.shape) * sizeOf(w.shape.slice(1)),
  infer: ({ inputs: [x, w, b], attributes, fail }) => {
    const { group } = attributes;
    if (group < 1) fail(`its group is ${group}, where it must be at least 1`);
    if (x.shape.length < 3) fail("X needs a batch axis, a channel axis and at least one spatial axis");
    if (w.shape.length !== x.shape.length) fail(`W must have ${x.shape.length} axes as X has`);
    if (x.type !== w.type) fail("X and W must have one element type");
    if (x.shape[1] !== w.shape[1]! * group)
      fail(`X has ${x.shape[1]} channels, W takes ${w.shape[1]} in each of ${group} groups`);
    if (w.shape[0]! % group !== 0) fail(`the ${w.shape[0]} output channels cannot be split into ${group} groups`);
    if (b && (b.shape.length !== 1 || b.shape[0] !== w.shape[0]))
      fail(`B must hold ${w.shape[0]} numbers, one per output channel`);
    const axes = windows(x.shape.slice(2), w.shape.slice(2), attributes, fail);
    return [{ type: x.type, shape: [x.shape[0]!, w.shape[0]!, ...axes.map((a) => a.output)] }];
  },
  range: finite,
  // dx[c, i] = Σ_{m, k: o·stride + k·dilation - pad = i} w[m, c, k] · g[m, o]    (the transposed convolution)
  // dw[m, c, k] = Σ_{n, o} g[n, m, o] · x[n, c, o·stride + k·dilation - pad]       db[m] = Σ_{n, o} g[n, m, o]
  gradient: ({ inputs: [x, w], attributes, wanted, fail }, [g]) => {
    const axes = windows(x.shape.slice(2), w.shape.slice(2), attributes, fail);
    return [
      wanted[0] ? convInputGradient(g, w, axes, attributes.group) : undefined,
      wanted[1] ? convWeightGradient(x, g, axes, attributes.group) : undefined,
      wanted[2] ? sumOverPositions(g) : undefined,
    ];
  },
});

/** The gradient of a bias: the sum over all axes but the channels. */
export const sumOverPositions = (g: Value): Value =>
  reduceSum(
    g,
    g.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])),
  );
