import type { Node, Value } from "../../graph/graph.js";
import { nodeAs } from "../../graph/operator.js";
import { hardSigmoid } from "../../operators/activation/hard-sigmoid.js";
import { Conv, conv } from "../../operators/convolution/conv.js";
import { abs } from "../../operators/elementwise/abs.js";
import { mul } from "../../operators/elementwise/mul.js";
import { reshape } from "../../operators/layout/reshape.js";
import { transpose } from "../../operators/layout/transpose.js";
import { matMul } from "../../operators/linear/mat-mul.js";
import { reduceSum } from "../../operators/reduction/reduce-sum.js";
import { type AxisWindow, windows } from "../../operators/window.js";
import { type Tensor, tensor } from "../../tensor/tensor.js";
import type { Rewrite } from "../rewrite.js";
import { isFixed } from "./match.js";

/**
 * A wide 3x3 convolution of the reverse sweep by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016, arXiv 1509.09308):
 *
 *     y = Aᵀ [Σ_c (G w Gᵀ) ⊙ (Bᵀ x B)] A    for each tile of 4x4 results, from 6x6 inputs: 36 products for 144
 *
 * The transforms of all tiles along an axis are one product with a constant matrix, which knows padding and dilation (a dilated axis is so many
 * interleaved ones), and the sums over the channels are 36 products of matrices. A tile's numbers mix, so the input must be finite; and where
 * all of a window is 0 the result is made 0 again, or rounding would reach pixels that the output does not depend on.
 */
export const winograd: Rewrite = {
  name: "winograd",
  scope: "gradient",
  keeps: "rounding",
  providers: ["cpu", "wasm"],
  measured:
    "forward + dX of DeepLabV3-R18 1036 -> 909 ms of kernels, U-Net 482 -> 453 (1 thread); 529 -> 461 and 257 -> 250 ms (2 threads, CPU)",
  apply: (node, { staysFinite }) => {
    const layer = layerOf(node);
    return layer && staysFinite(layer.x) ? [masked(filtered(layer), layer)] : undefined;
  },
};

interface Layer {
  readonly x: Value;
  readonly w: Value;
  readonly axes: readonly [AxisWindow, AxisWindow];
}

/** Results and inputs of a tile along an axis, and taps of the kernel. */
const [results, taps] = [4, 3];
const inputs = results + taps - 1;

/** Channels on both sides, and results along an axis, from which on it pays. */
const [fewestChannels, fewestResults] = [256, 24];

function layerOf(node: Node): Layer | undefined {
  const layer = nodeAs(Conv, node);
  if (layer?.attributes.group !== 1) return undefined;
  const [x, w, bias] = layer.inputs;
  if (x.type !== "float32" || x.shape.length !== 4 || bias || !isFixed(w)) return undefined;
  if (x.shape[1]! < fewestChannels || w.shape[0]! < fewestChannels) return undefined;
  const axes = windows(x.shape.slice(2), w.shape.slice(2), layer.attributes, impossible);
  return axes.every(pays) ? { x, w, axes: axes as [AxisWindow, AxisWindow] } : undefined;
}

/** Products with dense matrices are for axes that are not long, and tiles should hold little but results. */
const pays = (axis: AxisWindow): boolean =>
  axis.kernel === taps &&
  axis.stride === 1 &&
  axis.output >= fewestResults &&
  axis.output <= 64 &&
  results * tileStarts(axis).length <= 1.2 * axis.output;

const impossible = (message: string): never => {
  throw new Error(message);
};

function filtered({ x, w, axes }: Layer): Value {
  const { graph } = x;
  const [n, channels] = x.shape as [number, number];
  const kernels = w.shape[0]!;
  const [rows, columns] = [transformsOf(axes[0]), transformsOf(axes[1])];
  const constant = (t: Tensor) => graph.constant(t);
  const across = (t: Tensor) => transpose(constant(t), [1, 0]);

  const tiled = matMul(constant(rows.into), matMul(x, across(columns.into)));
  const split = reshape(tiled, [n, channels, inputs, rows.tiles, inputs, columns.tiles]);
  const tiles = n * rows.tiles * columns.tiles;
  const v = reshape(transpose(split, [2, 4, 1, 0, 3, 5]), [inputs * inputs, channels, tiles]);

  const u = reshape(matMul(constant(kernelTransform()), transpose(reshape(w, [-1, taps * taps]), [1, 0])), [
    inputs * inputs,
    kernels,
    channels,
  ]);
  const products = reshape(matMul(u, v), [inputs, inputs, kernels, n, rows.tiles, columns.tiles]);

  const joined = reshape(transpose(products, [3, 2, 0, 4, 1, 5]), [n, kernels, inputs * rows.tiles, inputs * columns.tiles]);
  return matMul(matMul(constant(rows.back), joined), across(columns.back));
}

/** 0 where all that a result is computed from is 0. */
function masked(y: Value, { x, axes }: Layer): Value {
  const ones = x.graph.constant(tensor("float32", [1, 1, taps, taps], new Float32Array(taps * taps).fill(1)));
  const size = conv(reduceSum(abs(x), [1], "keep"), ones, {
    pads: [...axes.map((a) => a.begin), ...axes.map((a) => a.end)],
    dilations: axes.map((a) => a.dilation),
  });
  return mul(y, hardSigmoid(size, 2 ** 126, 0));
}

/** The first result of each tile along an axis. */
function tileStarts({ dilation, output }: AxisWindow): number[] {
  const starts: number[] = [];
  for (let phase = 0; phase < dilation; phase++) for (let at = phase; at < output; at += results * dilation) starts.push(at);
  return starts;
}

/** Along an axis from positions to tiles, `[6 · tiles, input]` (Bᵀ), and from tiles to positions, `[output, 6 · tiles]` (Aᵀ). */
function transformsOf(axis: AxisWindow) {
  const starts = tileStarts(axis);
  const tiles = starts.length;
  const into = new Float32Array(inputs * tiles * axis.input);
  const back = new Float32Array(axis.output * inputs * tiles);
  for (const [tile, start] of starts.entries()) {
    for (let a = 0; a < inputs; a++) {
      for (let b = 0; b < inputs; b++) {
        const position = start + b * axis.dilation - axis.begin;
        if (position >= 0 && position < axis.input) into[(a * tiles + tile) * axis.input + position] = interpolation[a]![b]!;
      }
      for (let i = 0; i < results; i++) {
        const position = start + i * axis.dilation;
        if (position < axis.output) back[position * inputs * tiles + a * tiles + tile] = powers(a, results)[i]!;
      }
    }
  }
  return {
    tiles,
    into: tensor("float32", [inputs * tiles, axis.input], into),
    back: tensor("float32", [axis.output, inputs * tiles], back),
  };
}

/** G ⊗ G, `[36, 9]`. */
function kernelTransform(): Tensor {
  const rows: number[] = [];
  for (let a = 0; a < inputs; a++)
    for (let b = 0; b < inputs; b++) for (const p of powers(a, taps)) rows.push(...powers(b, taps).map((q) => p * q));
  return tensor("float32", [inputs * inputs, taps * taps], rows);
}

/**
 * Polynomials are multiplied at these points and at infinity. Of the sets of small fractions tried they lose the fewest digits: a relative
 * error of 1.1e-6 where the plain convolution has 1.1e-7 (128 channels).
 */
const points = [0, 3 / 4, -3 / 4, 3 / 2, -3 / 2];

/** `[1, p, p², ...]` at a point; at infinity the last power alone. Rows of G and columns of Aᵀ. */
function powers(point: number, count: number): number[] {
  const p = points[point];
  return Array.from({ length: count }, (_, i) => (p === undefined ? Number(i === count - 1) : p ** i));
}

/**
 * Bᵀ, the transposed inverse of the six powers at the six points: row a holds the coefficients of the polynomial that is 1 at point a and 0 at the
 * other ones, that of infinity those of Π (x - p).
 */
const interpolation: readonly (readonly number[])[] = Array.from({ length: inputs }, (_, a) => {
  const others = points.filter((_, i) => i !== a);
  const product = others.reduce<number[]>(
    (c, p) => Array.from({ length: inputs }, (_, i) => (c[i - 1] ?? 0) - p * (c[i] ?? 0)),
    [1],
  );
  const scale = a < points.length ? others.reduce((s, p) => s * (points[a]! - p), 1) : 1;
  return Array.from({ length: inputs }, (_, i) => (product[i] ?? 0) / scale);
});
