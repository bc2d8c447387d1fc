import type { Value, ValueType } from "../../graph/graph.js";
import { flag, ints, required } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { type AutoPad, type AxisWindow, checkedWindow, type WindowAttributes, windowAttributes, windows } from "../window.js";

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
export function poolWindows({ inputs: [x], attributes, fail }: PoolContext): AxisWindow[] {
  if (x.shape.length < 3) fail("X needs a batch axis, a channel axis and at least one spatial axis");
  const axes = windows(x.shape.slice(2), attributes.kernel_shape, attributes, attributes.ceil_mode ? "ceil" : "floor", fail);
  axes.forEach((a, i) => {
    if (a.begin >= a.kernel || a.end >= a.kernel)
      fail(`the padding of axis ${i + 2} must be smaller than its window of ${a.kernel}`);
  });
  return axes;
}

/**
 * The padding that auto_pad SAME_UPPER or SAME_LOWER asks for along each axis, `(⌈size / stride⌉ - 1) stride + kernel - size` in all, where one is negative
 * because a window is narrower than its stride; undefined where none is. SAME_LOWER has the odd element in front.
 */
export function narrowPadding({ inputs: [x], attributes, fail }: PoolContext): { head: number; tail: number }[] | undefined {
  const { auto_pad, kernel_shape: kernel } = attributes;
  if (!auto_pad.startsWith("SAME") || x.shape.length !== kernel.length + 2) return undefined;
  const { strides } = checkedWindow(kernel.length, kernel, { ...attributes, pads: undefined }, fail);
  const padding = x.shape.slice(2).map((size, i) => {
    const total = (Math.ceil(size / strides[i]!) - 1) * strides[i]! + kernel[i]! - size;
    const head = Math.trunc((auto_pad === "SAME_LOWER" ? total + 1 : total) / 2);
    return { head, tail: total - head };
  });
  return padding.some(({ head, tail }) => head + tail < 0) ? padding : undefined;
}

/**
 * The attributes of a pool without auto_pad where that would ask for less than no padding. ONNX Runtime does not run such a file; TensorFlow, whose padding
 * this is, pads nothing then, and the first window begins at the first element.
 */
export function withoutNarrowPadding(context: PoolContext) {
  const padding = narrowPadding(context);
  if (!padding) return undefined;
  const sides = padding.map(({ head, tail }) => (head + tail < 0 ? { head: 0, tail: 0 } : { head, tail }));
  const pads = [...sides.map(({ head }) => head), ...sides.map(({ tail }) => tail)];
  return { ...context.attributes, auto_pad: "NOTSET" as const, pads, ceil_mode: 0 };
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
