import type { Value, ValueType } from "../../graph/graph.js";
import { type Attributes, flag, ints, required } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { slice } from "../layout/slice.js";
import {
  type AutoPad,
  type AxisWindow,
  axisWindow,
  checkedWindow,
  exactEnd,
  extent,
  type WindowAttributes,
  windowAttributes,
} from "../window.js";

/** What all sliding-window poolings take. */
export interface PoolOptions {
  /** Steps of the window, one per spatial axis; default 1. */
  readonly strides?: readonly number[];
  /** Padding before each spatial axis, then behind each: `[top, left, bottom, right]`; default 0. */
  readonly pads?: readonly number[];
  /** Instead of `pads`: SAME_UPPER and SAME_LOWER pad so that the output has ceil(size / stride) elements. */
  readonly autoPad?: AutoPad;
  /** Whether a last window that is only partly filled counts ("ceil") or not ("floor", the default). */
  readonly rounding?: "floor" | "ceil";
}

export const poolAttributes = { ...windowAttributes, kernel_shape: required(ints()), ceil_mode: flag(0) };

export interface PoolContext {
  readonly inputs: readonly [Value, ...unknown[]];
  readonly attributes: WindowAttributes & { readonly kernel_shape: readonly number[]; readonly ceil_mode: number };
  readonly fail: (message: string) => never;
}

/** Options as attributes of the node. */
export const poolingAttributes = ({ strides, pads, autoPad, rounding }: PoolOptions, kernel: readonly number[]) => ({
  kernel_shape: kernel,
  strides,
  pads,
  auto_pad: autoPad,
  ceil_mode: rounding === "ceil" ? 1 : 0,
});

/** One window per spatial axis. */
export function poolWindows(context: PoolContext): AxisWindow[] {
  return resolved(context).map((axis, i) => {
    if (axis.begin >= axis.kernel || axis.end >= axis.kernel)
      context.fail(`the padding of axis ${i + 2} must be smaller than its window of ${axis.kernel}`);
    return axis;
  });
}

/** One window per spatial axis; `begin` and `end` are negative where auto_pad crops. */
function resolved({ inputs: [x], attributes, fail }: PoolContext): AxisWindow[] {
  const { auto_pad, kernel_shape, ceil_mode } = attributes;
  if (x.shape.length < 3) fail("X needs a batch axis, a channel axis and at least one spatial axis");
  const spatial = x.shape.slice(2);
  const { strides, dilations, pads } = checkedWindow(spatial.length, kernel_shape, attributes, fail);
  return spatial.map((input, i) => {
    const [kernel, stride, dilation] = [kernel_shape[i]!, strides[i]!, dilations[i]!];
    const given = { begin: pads[i]!, end: pads[i + spatial.length]! };
    const sides =
      auto_pad === "NOTSET" ? given : auto_pad === "VALID" ? { begin: 0, end: 0 } : same(input, kernel, stride, auto_pad);
    const axis = axisWindow({ input, kernel, stride, dilation, ...sides }, ceil_mode ? "ceil" : "floor");
    if (axis.output < 1)
      fail(
        `the window spans ${extent(axis)} elements of axis ${i + 2}, which has ${input + sides.begin + sides.end} with its padding`,
      );
    return axis;
  });
}

/**
 * The padding that auto_pad SAME_UPPER or SAME_LOWER asks for, `(⌈size / stride⌉ - 1) stride + kernel - size` in all: ONNX Runtime 1.30 leaves dilations out of it, has
 * the odd element in front for SAME_LOWER, and cuts halves toward 0. It is negative where a window is narrower than its stride.
 */
function same(size: number, kernel: number, stride: number, autoPad: AutoPad): { readonly begin: number; readonly end: number } {
  const total = (Math.ceil(size / stride) - 1) * stride + kernel - size;
  const begin = Math.trunc((autoPad === "SAME_LOWER" ? total + 1 : total) / 2);
  return { begin, end: total - begin };
}

/**
 * The same pool in words whose shapes ONNX Runtime infers as its kernels compute them; undefined where it is so already.
 *
 * - auto_pad crops `x` where a window is narrower than its stride (but float32 kernels of MaxPool, and of AveragePool below opset 19, refuse such a file).
 * - auto_pad with dilations or with ceil_mode is counted in another way by ONNX's own rule.
 * - so is ceil_mode where no window is added by it.
 *
 * @param tail whether windows that ceil_mode adds read what auto_pad crops behind: those of AveragePool do not.
 */
export function plainPool(
  context: PoolContext,
  tail: "read" | "unread",
): { readonly x: Value; readonly starts: readonly number[]; readonly attributes: Attributes } | undefined {
  const { attributes } = context;
  const [x] = context.inputs;
  if (x.shape.length !== attributes.kernel_shape.length + 2) return undefined;
  const axes = resolved(context);
  const crops = axes.some(({ begin, end }) => begin < 0 || end < 0);
  const isCeiled = attributes.ceil_mode !== 0;
  const isRounded = isCeiled && axes.every((a) => axisWindow(a, "floor").output === a.output);
  const isUnlike = attributes.auto_pad !== "NOTSET" && (isCeiled || axes.some(({ dilation }) => dilation !== 1));
  if (!crops && !isRounded && !isUnlike) return undefined;
  // what lies behind the last window goes in any case; what that lacks is left to ceil_mode
  const starts = axes.map(({ begin }) => Math.max(-begin, 0));
  const stops = axes.map((a) => a.input + Math.min(tail === "unread" ? a.end : a.end < 0 ? exactEnd(a) : 0, 0));
  const pads = [...axes.map(({ begin }) => Math.max(begin, 0)), ...axes.map(({ end }) => Math.max(end, 0))];
  return {
    x: crops ? slice(x, starts, stops, { axes: axes.map((_, i) => i + 2) }) : x,
    starts,
    attributes: { ...attributes, auto_pad: "NOTSET", pads, ceil_mode: isRounded ? 0 : attributes.ceil_mode },
  };
}

export function inferPool(context: PoolContext): readonly ValueType[] {
  const [x] = context.inputs;
  return [{ type: x.type, shape: [...x.shape.slice(0, 2), ...poolWindows(context).map((a) => a.output)] }];
}

export function inferGlobalPool({ inputs: [x], fail }: Pick<PoolContext, "inputs" | "fail">): readonly ValueType[] {
  if (x.shape.length < 3) fail("X needs a batch axis, a channel axis and at least one spatial axis");
  return [{ type: x.type, shape: x.shape.map((d, axis) => (axis < 2 ? d : 1)) }];
}

/** One for each element of each window. */
export const windowFlops = ({
  outputs: [y],
  attributes,
}: {
  readonly outputs: readonly Value[];
  readonly attributes: { readonly kernel_shape: readonly number[] };
}): number => sizeOf(y!.shape) * sizeOf(attributes.kernel_shape);
