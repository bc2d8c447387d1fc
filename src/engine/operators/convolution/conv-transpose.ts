import type { Value } from "../../graph/graph.js";
import { defineOperator, int, ints } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { type Shape, sizeOf } from "../../tensor/tensor.js";
import { emit } from "../emit.js";
import { type AxisWindow, checkedWindow, exactEnd, extent, type WindowAttributes, windowAttributes } from "../window.js";
import { type ConvOptions, conv, sumOverPositions } from "./conv.js";
import { convWeightGradient } from "./conv-weight-gradient.js";

export interface ConvTransposeOptions extends ConvOptions {
  /** Rows and columns added at the end of each spatial axis, to tell apart input sizes that a strided convolution maps to one. */
  readonly outputPadding?: readonly number[];
  /** The spatial shape wanted instead of `pads`, which then follow from it. */
  readonly outputShape?: readonly number[];
}

/**
 * Transposed convolution, the adjoint of `conv` with the same weights and attributes:
 * `y[n, c, i] = b[c] + Σ_{m, k: o·stride + k·dilation - pad = i} w[m, c, k] · x[n, m, o]`.
 *
 * @param x `[N, M, ...spatial]`
 * @param w `[M, C / group, ...kernel]`
 * @throws GraphError when channels, group or attributes do not fit.
 * @example const doubled = convTranspose(x, w, { strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 1] });
 */
export const convTranspose = (
  x: Value,
  w: Value,
  { bias, autoPad, outputPadding, outputShape, ...attributes }: ConvTransposeOptions = {},
): Value =>
  emit(ConvTranspose, [x, w, bias], {
    ...attributes,
    auto_pad: autoPad,
    output_padding: outputPadding?.some((p) => p !== 0) ? outputPadding : undefined,
    output_shape: outputShape,
    kernel_shape: w.shape.slice(2),
  });

export const ConvTranspose = defineOperator({
  name: "ConvTranspose",
  inputs: ["X", "W", "B?"],
  attributes: { ...windowAttributes, dilations: ints(), group: int(1), output_padding: ints(), output_shape: ints() },
  flops: ({ inputs: [x, w] }) => 2 * sizeOf(x.shape) * sizeOf(w.shape.slice(1)),
  infer: ({ inputs: [x, w, b], attributes, fail }) => {
    const { group } = attributes;
    if (group < 1) fail(`its group is ${group}, where it must be at least 1`);
    if (x.shape.length < 3) fail("X needs a batch axis, a channel axis and at least one spatial axis");
    if (w.shape.length !== x.shape.length) fail(`W must have ${x.shape.length} axes as X has`);
    if (x.type !== w.type) fail("X and W must have one element type");
    if (x.shape[1] !== w.shape[0]) fail(`X has ${x.shape[1]} channels, W takes ${w.shape[0]}`);
    if (w.shape[0]! % group !== 0) fail(`the ${w.shape[0]} input channels cannot be split into ${group} groups`);
    const channels = w.shape[1]! * group;
    if (b && (b.shape.length !== 1 || b.shape[0] !== channels)) fail(`B must hold ${channels} numbers, one per output channel`);
    const axes = adjointWindows(x.shape.slice(2), w.shape.slice(2), attributes, fail);
    return [{ type: x.type, shape: [x.shape[0]!, channels, ...axes.map((a) => a.input)] }];
  },
  range: finite,
  // The adjoint's adjoint: dx = conv(g, w). ⟨g, convTranspose(x, w)⟩ = ⟨conv(g, w), x⟩, so dw is that of a convolution with input g and
  // cotangent x.
  gradient: ({ inputs: [x, w], attributes, wanted, fail }, [g]) => {
    const axes = adjointWindows(x.shape.slice(2), w.shape.slice(2), attributes, fail);
    return [
      wanted[0] ? adjointConv(g, w, axes, attributes.group) : undefined,
      wanted[1] ? convWeightGradient(g, x, axes, attributes.group) : undefined,
      wanted[2] ? sumOverPositions(g) : undefined,
    ];
  },
});

function adjointConv(g: Value, w: Value, axes: readonly AxisWindow[], group: number): Value {
  const ends = axes.map((a) => Math.max(exactEnd(a), 0));
  return conv(g, w, {
    strides: axes.map((a) => a.stride),
    pads: [...axes.map((a) => a.begin), ...ends],
    dilations: axes.map((a) => a.dilation),
    group,
  });
}

type TransposedAttributes = WindowAttributes & {
  readonly output_padding: readonly number[] | undefined;
  readonly output_shape: readonly number[] | undefined;
};

/**
 * The windows of the convolution whose adjoint the node is: their `input` is the node's output, their `output` the node's input. Pads that
 * follow from `output_shape` or `auto_pad` are split as ONNX Runtime 1.30 does: the odd one goes to the end for SAME_UPPER, else to the
 * beginning.
 */
export function adjointWindows(
  size: Shape,
  kernel: Shape,
  attributes: TransposedAttributes,
  fail: (message: string) => never,
): AxisWindow[] {
  const rank = size.length;
  const { auto_pad, output_padding, output_shape } = attributes;
  const { strides, dilations, pads } = checkedWindow(rank, kernel, attributes, fail);
  if (output_padding && output_padding.length !== rank)
    fail(`output_padding has ${output_padding.length} entries, ${rank} are needed`);
  // Some files list batch and channels in output_shape too; ONNX Runtime takes both.
  const target = output_shape && output_shape.length === rank + 2 ? output_shape.slice(2) : output_shape;
  if (target && target.length !== rank) fail(`output_shape has ${target.length} entries, ${rank} are needed`);
  return size.map((output, i) => {
    const [stride, dilation] = [strides[i]!, dilations[i]!];
    const extra = output_padding?.[i] ?? 0;
    if (extra < 0) fail(`output_padding [${output_padding?.join(", ")}] must not be negative`);
    const full = (output - 1) * stride + extent({ kernel: kernel[i]!, dilation }) + extra;
    const wanted = target?.[i] ?? (auto_pad.startsWith("SAME") ? output * stride : undefined);
    let [begin, end] = auto_pad === "NOTSET" ? [pads[i]!, pads[i + rank]!] : [0, 0];
    if (wanted !== undefined) {
      const total = Math.max(0, full - wanted);
      begin = auto_pad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
      end = total - begin;
    }
    const input = target?.[i] ?? full - begin - end;
    const axis = { input, output, kernel: kernel[i]!, stride, dilation, begin, end };
    // Each end of the axis may miss less than a stride, or a convolution with these attributes would not lead back to the input's size.
    if (input < 1 || -exactEnd(axis) >= stride) fail(`an output of ${input} elements along axis ${i + 2} cannot be reached`);
    return axis;
  });
}
