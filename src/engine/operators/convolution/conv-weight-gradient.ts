import type { Value } from "../../graph/graph.js";
import { type Shape, sizeOf } from "../../tensor/tensor.js";
import { concat } from "../layout/concat.js";
import { pad } from "../layout/pad.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { transpose } from "../layout/transpose.js";
import { matMul } from "../linear/mat-mul.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { type AxisWindow, exactEnd } from "../window.js";
import { conv } from "./conv.js";

/**
 * Gradient of a convolution with respect to its weights: `dw[m, c, k] = Σ_{n, o} g[n, m, o] · x[n, c, o·stride + k·dilation - pad]`.
 * One formula, three forms. Times are medians for ONNX Runtime 1.30 on two CPU threads, in ms:
 *
 *     channels, kernel, input           one MatMul per tap   taps side by side   cotangent as kernel
 *     64-64, 3x3, 4x56²                        4.3                 5.3                 11.1
 *     256-256, 3x3, 4x14²                      3.1                 4.8                  6.5
 *     64-128, 3x3, stride 2, 4x56²             1.9                 3.0                  3.9
 *     64-64, 7x7, 1x32²                        1.9                 2.5                  2.8
 *     16-16, 3x3, 4x64²                        1.5                 0.7                  2.5
 *     8-32, 5x5, 2x64²                         1.6                 0.7                  1.3
 *     16-16, 7x7, 1x64²                        1.5                 1.4                  1.0
 *     3-64, 7x7, stride 2, 4x112²              9.5                 2.4                  1.4
 *     64-128, 1x1, 4x56²                       1.2                 0.6                   -
 *
 * Depthwise, one Mul and ReduceSum per tap takes 2.9 ms against 4.9 as kernel for 3x3, and 6.6 against 5.8 for 7x7 (96 channels, 56²). In a whole
 * training step of NAFNet, full of depthwise 3x3, the difference drowned in noise (314 and 351 ms against 340 and 348), so the general form stays.
 *
 * @param x input `[N, C, ...input]`
 * @param g cotangent of the output `[N, M, ...output]`
 * @returns `[M, C / group, ...kernel]`
 */
export function convWeightGradient(x: Value, g: Value, axes: readonly AxisWindow[], group: number): Value {
  const taps = sizeOf(axes.map((a) => a.kernel));
  const channels = x.shape[1]!;
  if (group === 1 && channels >= 32 && taps > 1 && taps <= 49) return matMulPerTap(x, g, axes);
  if (group === 1 && taps <= 25) return tapsSideBySide(x, g, axes);
  return cotangentAsKernel(x, g, axes, group);
}

/** Channels last: for each tap `Gᵀ · X_tap`, where the positions of all samples are one long axis. */
function matMulPerTap(x: Value, g: Value, axes: readonly AxisWindow[]): Value {
  const [m, c] = [g.shape[1]!, x.shape[1]!];
  const kernel = axes.map((a) => a.kernel);
  const positions = x.shape[0]! * sizeOf(axes.map((a) => a.output));
  const channelsLast = [0, ...axes.map((_, i) => i + 2), 1];
  const cotangent = transpose(reshape(transpose(g, channelsLast), [positions, m]), [1, 0]);
  const products = tapViews(transpose(x, channelsLast), 1, axes).map((view) =>
    reshape(matMul(cotangent, reshape(view, [positions, c])), [m, c, 1]),
  );
  return reshape(concat(products, 2), [m, c, ...kernel]);
}

/** Every tap's view of the input side by side, then one MatMul for each sample: `Σ_n G[n] · U[n]ᵀ`. For 1x1 the view is the input itself. */
function tapsSideBySide(x: Value, g: Value, axes: readonly AxisWindow[]): Value {
  const [m, c] = [g.shape[1]!, x.shape[1]!];
  const kernel = axes.map((a) => a.kernel);
  const samples = x.shape[0]!;
  const positions = sizeOf(axes.map((a) => a.output));
  const views = tapViews(x, 2, axes);
  const taps = views.length;
  const columns = reshape(concat(views, 1), [samples, taps * c, positions]);
  const products = matMul(reshape(g, [samples, m, positions]), transpose(columns, [0, 2, 1]));
  const sum = reduceSum(products, [0]);
  if (taps === 1) return reshape(sum, [m, c, ...kernel]);
  return reshape(transpose(reshape(sum, [m, taps, c]), [0, 2, 1]), [m, c, ...kernel]);
}

/** For each tap of the window, in row-major order, the input elements that it meets; `first` is the first spatial axis of `x`. */
function tapViews(x: Value, first: number, axes: readonly AxisWindow[]): Value[] {
  const pads = (amounts: readonly number[]) => x.shape.map((_, axis) => Math.max(amounts[axis - first] ?? 0, 0));
  const padded = pad(x, [...pads(axes.map((a) => a.begin)), ...pads(axes.map(exactEnd))]);
  return indices(axes.map((a) => a.kernel)).map((tap) => {
    const starts = axes.map((a, i) => tap[i]! * a.dilation);
    const ends = axes.map((a, i) => starts[i]! + (a.output - 1) * a.stride + 1);
    if (axes.every((a, i) => a.stride === 1 && starts[i] === 0 && ends[i] === padded.shape[first + i])) return padded;
    return slice(padded, starts, ends, { axes: axes.map((_, i) => first + i), steps: axes.map((a) => a.stride) });
  });
}

/** A convolution of the input, batch and channels swapped, with the cotangent as kernel; stride and dilation change places. Right for all. */
function cotangentAsKernel(x: Value, g: Value, axes: readonly AxisWindow[], group: number): Value {
  const [n, c] = [x.shape[0]!, x.shape[1]! / group];
  const spatial = axes.map((_, i) => i);
  const ends = axes.map(exactEnd);
  const grouped = transpose(reshape(x, [n, group, c, ...x.shape.slice(2)]), [2, 1, 0, ...spatial.map((i) => i + 3)]);
  const y = conv(reshape(grouped, [c, group * n, ...x.shape.slice(2)]), transpose(g, [1, 0, ...spatial.map((i) => i + 2)]), {
    strides: axes.map((a) => a.dilation),
    dilations: axes.map((a) => a.stride),
    pads: [...axes.map((a) => a.begin), ...ends.map((e) => Math.max(e, 0))],
    group,
  });
  const dw = transpose(y, [1, 0, ...spatial.map((i) => i + 2)]);
  // Inputs behind the last window give surplus taps.
  const surplus = axes.flatMap((a, i) => (y.shape[i + 2]! > a.kernel ? [i] : []));
  if (surplus.length === 0) return dw;
  return slice(
    dw,
    surplus.map(() => 0),
    surplus.map((i) => axes[i]!.kernel),
    { axes: surplus.map((i) => i + 2) },
  );
}

/** All multi-indices of a shape in row-major order. */
function indices(shape: Shape): number[][] {
  return shape.reduce<number[][]>((list, d) => list.flatMap((head) => Array.from({ length: d }, (_, i) => [...head, i])), [[]]);
}
