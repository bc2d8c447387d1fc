import type { Value } from "../../graph/graph.js";
import { defineOperator, flag, ints, type Operator } from "../../graph/operator.js";
import { ofAll } from "../../graph/range.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { conv } from "../convolution/conv.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { type AxisWindow, exactEnd, extent } from "../window.js";
import { inferPool, type PoolOptions, plainPool, poolAttributes, poolingAttributes, poolWindows, windowFlops } from "./pool.js";
import { sumOfWindowsAt } from "./window-sum.js";

export interface AveragePoolOptions extends PoolOptions {
  /** Whether the zeros of the padding count as elements of a window; default: only true elements do. */
  readonly padding?: "counted" | "not counted";
  /** Distance between the taps of the window; default 1. */
  readonly dilations?: readonly number[];
}

/**
 * The mean of each window of the given size.
 *
 * @param x `[N, C, ...spatial]`
 * @param kernel size of the window, one number per spatial axis
 * @throws GraphError when the window does not fit.
 * @example const half = averagePool(x, [2, 2], { strides: [2, 2] });
 */
export const averagePool = (
  x: Value,
  kernel: readonly number[],
  { padding, dilations, ...options }: AveragePoolOptions = {},
): Value =>
  emit(AveragePool, [x], {
    ...poolingAttributes(options, kernel),
    dilations,
    count_include_pad: padding === "counted" ? 1 : 0,
  });

export const AveragePool: Operator = defineOperator({
  name: "AveragePool",
  inputs: ["X"],
  attributes: { ...poolAttributes, dilations: ints(), count_include_pad: flag(0) },
  flops: windowFlops,
  infer: (context) => {
    const overlong = (a: AxisWindow) => extent(a) > a.input + a.begin + a.end;
    if (context.attributes.count_include_pad === 1 && context.attributes.ceil_mode === 0 && poolWindows(context).some(overlong))
      context.fail(
        "its window is longer than an axis with its padding, and ONNX Runtime's opsets count such a window differently; give it pads, or a smaller window",
      );
    return inferPool(context);
  },
  range: ofAll(0),
  // Dilations came with opset 19. The sum of each window is a convolution of each channel with ones; each is divided by its count.
  decompose: (context) => {
    const { inputs, attributes, outputCount } = context;
    const plain = plainPool(context, "unread");
    if (plain) return [emit(AveragePool, [plain.x], plain.attributes)];
    if (attributes.dilations === undefined) return undefined;
    if (attributes.dilations.every((d) => d === 1)) {
      const { dilations: _, ...plain } = attributes;
      return inputs[0].graph.add(AveragePool, inputs, plain, { outputCount });
    }
    const [x] = inputs;
    const axes = poolWindows(context);
    const size = sizeOf(axes.map((a) => a.kernel));
    const channels = x.shape[1]!;
    const ones = tensor(x.type, [channels, 1, ...attributes.kernel_shape], new Float64Array(channels * size).fill(1 / size));
    const means = conv(x, x.graph.constant(ones), {
      strides: axes.map((a) => a.stride),
      dilations: axes.map((a) => a.dilation),
      pads: [...axes.map((a) => a.begin), ...axes.map((a) => Math.max(exactEnd(a), 0))],
      group: channels,
    });
    return [
      mulByMap(
        means,
        axes.map((a) => counts(a, attributes.count_include_pad === 1).map((count) => a.kernel / count)),
      ),
    ];
  },
  // dx[i] = Σ_{o: window o contains i} g[o] / count[o]. Where all windows count alike and the stride is 1, that is average pooling again:
  // 3x3 on ONNX Runtime in 0.46 ms against 2.1 as ConvTranspose.
  gradient: (context, [g]) => {
    const axes = poolWindows(context);
    const size = sizeOf(axes.map((a) => a.kernel));
    const weighted = mulByMap(
      g,
      axes.map((a) => counts(a, context.attributes.count_include_pad === 1).map((count) => a.kernel / count)),
    );
    if (axes.every((a) => a.stride === 1 && exactEnd(a) < a.kernel)) {
      const pads = [...axes.map((a) => a.kernel - 1 - a.begin), ...axes.map((a) => a.kernel - 1 - exactEnd(a))];
      return [averagePool(weighted, context.attributes.kernel_shape, { pads, padding: "counted" })];
    }
    return [sumOfWindowsAt(weighted, axes, 1 / size)];
  },
});

/** By how many elements each window along an axis is divided; in ceil mode what lies behind the padding never counts. */
function counts({ input, output, kernel, stride, dilation, begin, end }: AxisWindow, withPadding: boolean): number[] {
  const [first, behind] = withPadding ? [-begin, input + end] : [0, input];
  return Array.from({ length: output }, (_, o) => {
    const taps = Array.from({ length: kernel }, (_, k) => o * stride - begin + k * dilation);
    return taps.filter((place) => place >= first && place < behind).length;
  });
}

/** `g` times the outer product of one vector per spatial axis; axes whose vector is all ones are left out. */
function mulByMap(g: Value, vectors: readonly (readonly number[])[]): Value {
  const kept = vectors.map((v) => (v.every((f) => f === 1) ? [1] : v));
  const map = kept.reduce<number[]>((outer, v) => outer.flatMap((a) => v.map((b) => a * b)), [1]);
  if (map.length === 1 && map[0] === 1) return g;
  return mul(
    g,
    g.graph.constant(
      tensor(
        g.type,
        kept.map((v) => v.length),
        map,
      ),
    ),
  );
}
