import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { type AxisWindow, exactEnd } from "../window.js";
import { inferPool, type PoolOptions, poolAttributes, poolingAttributes, poolWindows } from "./pool.js";
import { sumOfWindowsAt } from "./window-sum.js";

export interface AveragePoolOptions extends PoolOptions {
  /** Whether the zeros of the padding count as elements of a window; default: only true elements do. */
  readonly padding?: "counted" | "not counted";
}

/**
 * The mean of each window of the given size.
 *
 * @param x `[N, C, ...spatial]`
 * @param kernel size of the window, one number per spatial axis
 * @throws GraphError when the window does not fit.
 * @example const half = averagePool(x, [2, 2], { strides: [2, 2] });
 */
export const averagePool = (x: Value, kernel: readonly number[], { padding, ...options }: AveragePoolOptions = {}): Value =>
  emit(AveragePool, [x], { ...poolingAttributes(options, kernel), count_include_pad: padding === "counted" ? 1 : 0 });

export const AveragePool = defineOperator({
  name: "AveragePool",
  inputs: ["X"],
  attributes: { ...poolAttributes, count_include_pad: int(0) },
  infer: inferPool,
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
function counts({ input, output, kernel, stride, begin, end }: AxisWindow, withPadding: boolean): number[] {
  return Array.from({ length: output }, (_, o) => {
    const start = o * stride - begin;
    return withPadding ? Math.min(start + kernel, input + end) - start : Math.min(start + kernel, input) - Math.max(start, 0);
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
