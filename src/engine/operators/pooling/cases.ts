import type { Value } from "../../graph/graph.js";
import { sizeOf } from "../../tensor/tensor.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import { intsConstant } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { type AveragePoolOptions, averagePool } from "./average-pool.js";
import { globalAveragePool } from "./global-average-pool.js";
import { globalLpPool } from "./global-lp-pool.js";
import { globalMaxPool } from "./global-max-pool.js";
import { lpPool } from "./lp-pool.js";
import { type MaxPoolOptions, maxPool, maxPoolWithIndices } from "./max-pool.js";
import { maxUnpool } from "./max-unpool.js";

type Sized<T> = T & { readonly x: readonly number[]; readonly kernel: readonly number[] };

const average: Readonly<Record<string, Sized<AveragePoolOptions>>> = {
  "1-D": { x: [1, 2, 9], kernel: [3], strides: [2], pads: [1, 1] },
  "2x2, stride 2": { x: [2, 3, 6, 8], kernel: [2, 2], strides: [2, 2] },
  "2x3, stride 2x3, rest untouched": { x: [1, 2, 7, 11], kernel: [2, 3], strides: [2, 3] },
  "3x3, stride 1, padding not counted": { x: [1, 2, 5, 6], kernel: [3, 3], pads: [1, 1, 1, 1] },
  "3x3, stride 1, padding counted": { x: [1, 2, 5, 6], kernel: [3, 3], pads: [1, 0, 2, 1], padding: "counted" },
  "stride 2, ceil, padding not counted": {
    x: [1, 2, 8, 8],
    kernel: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 0, 1],
    rounding: "ceil",
  },
  "stride 2, ceil, padding counted": {
    x: [1, 2, 8, 8],
    kernel: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 0, 1],
    rounding: "ceil",
    padding: "counted",
  },
  "stride 3, ceil, last window dropped": {
    x: [1, 2, 5, 5],
    kernel: [2, 2],
    strides: [3, 3],
    pads: [1, 1, 1, 1],
    rounding: "ceil",
  },
  "stride 4, kernel 2: gaps": { x: [1, 2, 9, 10], kernel: [2, 2], strides: [4, 4] },
  "auto_pad SAME_UPPER": { x: [1, 2, 7, 8], kernel: [3, 2], strides: [2, 3], autoPad: "SAME_UPPER" },
  "auto_pad SAME_LOWER": { x: [1, 2, 7, 8], kernel: [3, 4], strides: [2, 3], autoPad: "SAME_LOWER" },
  "3-D": { x: [1, 2, 4, 5, 6], kernel: [2, 3, 2], strides: [2, 1, 2], pads: [0, 1, 0, 0, 1, 1] },
  "dilated, padding not counted": { x: [1, 2, 8, 9], kernel: [3, 2], dilations: [2, 3], pads: [1, 1, 2, 0] },
  "dilated, stride 2, padding counted": {
    x: [1, 3, 9, 9],
    kernel: [2, 3],
    dilations: [3, 2],
    strides: [2, 2],
    pads: [1, 2, 1, 1],
    padding: "counted",
  },
};

const largest: Readonly<Record<string, Sized<MaxPoolOptions>>> = {
  "1-D": { x: [1, 2, 9], kernel: [3], strides: [2], pads: [1, 1] },
  "2x2, stride 2": { x: [2, 3, 6, 7], kernel: [2, 2], strides: [2, 2] },
  "3x3, stride 2, pads": { x: [2, 2, 8, 7], kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  "3x3, stride 1, asymmetric pads": { x: [1, 2, 5, 6], kernel: [3, 3], pads: [1, 0, 2, 1] },
  dilated: { x: [1, 2, 9, 9], kernel: [3, 2], dilations: [2, 3], pads: [1, 1, 2, 0] },
  ceil: { x: [1, 2, 8, 10], kernel: [3, 3], strides: [2, 2], rounding: "ceil" },
  "stride 3, ceil, last window dropped": {
    x: [1, 2, 5, 5],
    kernel: [2, 2],
    strides: [3, 3],
    pads: [1, 1, 1, 1],
    rounding: "ceil",
  },
  "auto_pad SAME_UPPER": { x: [1, 2, 7, 8], kernel: [3, 2], strides: [2, 3], autoPad: "SAME_UPPER" },
  "3-D": { x: [1, 2, 4, 5, 6], kernel: [2, 3, 2], strides: [2, 1, 2], pads: [0, 1, 0, 0, 1, 1] },
};

/** Numbers that no step of the difference brings to a tie: a shuffled grid. */
const apart = (shape: readonly number[]): number[] => {
  const n = sizeOf(shape);
  const step = Array.from({ length: n }, (_, i) => i).find((i) => i > n / 3 && coprime(i, n))!;
  return Array.from({ length: n }, (_, i) => ((i * step) % n) / 4);
};
const coprime = (a: number, b: number): boolean => (b === 0 ? a === 1 : coprime(b, a % b));

const one = (
  name: string,
  operator: string,
  x: { readonly shape: readonly number[]; readonly range?: readonly [number, number]; readonly values?: readonly number[] },
  build: (x: Value) => Value,
  tolerance?: number,
): OperatorCase => ({
  name: `${operator}: ${name}`,
  operator,
  inputs: { x },
  build: (v) => build(v.x!),
  ...(tolerance === undefined ? {} : { tolerance }),
});

export const poolingCases: readonly OperatorCase[] = [
  ...Object.entries(average).map(([name, { x, kernel, ...options }]) =>
    one(name, "AveragePool", { shape: x }, (v) => averagePool(v, kernel, options)),
  ),
  ...Object.entries(largest).map(([name, { x, kernel, ...options }]) =>
    one(name, "MaxPool", { shape: x, values: apart(x) }, (v) => maxPool(v, kernel, options)),
  ),
  one("with indices", "MaxPool", { shape: [2, 2, 6, 6], values: apart([2, 2, 6, 6]) }, (x) => {
    const { values, indices } = maxPoolWithIndices(x, [2, 2], { strides: [2, 2] });
    return maxUnpool(values, indices, [2, 2], { strides: [2, 2] });
  }),
  one("all positions", "GlobalAveragePool", { shape: [2, 3, 4, 5] }, globalAveragePool),
  one("1-D", "GlobalAveragePool", { shape: [2, 3, 7] }, globalAveragePool),
  one("all positions", "GlobalMaxPool", { shape: [2, 3, 4, 5], values: apart([2, 3, 4, 5]) }, globalMaxPool),
  one("3-D", "GlobalMaxPool", { shape: [1, 2, 2, 3, 4], values: apart([1, 2, 2, 3, 4]) }, globalMaxPool),
  ...[1, 2, 3].flatMap((p) => [
    one(`p = ${p}`, "GlobalLpPool", { shape: [2, 2, 3, 4], range: [0.2, 1] }, (x) => globalLpPool(x, p)),
    one(`p = ${p}`, "LpPool", { shape: [1, 2, 6, 7], range: [-1, -0.2] }, (x) =>
      lpPool(x, [3, 2], { p, strides: [2, 2], pads: [1, 0, 1, 1] }),
    ),
  ]),
  one("ceil, dilated", "LpPool", { shape: [1, 2, 8, 8], range: [0.2, 1] }, (x) =>
    lpPool(x, [2, 3], { strides: [2, 2], dilations: [2, 1], rounding: "ceil" }),
  ),
  one("scattered", "MaxUnpool", { shape: [1, 1, 2, 2] }, (x) =>
    maxUnpool(x, reshape(intsConstant(x.graph, [0, 3, 9, 14]), x.shape), [2, 2], { strides: [2, 2] }),
  ),
  one("larger output", "MaxUnpool", { shape: [1, 1, 2, 2] }, (x) =>
    maxUnpool(x, reshape(intsConstant(x.graph, [0, 3, 9, 24]), x.shape), [2, 2], { strides: [2, 2], outputShape: [1, 1, 5, 5] }),
  ),
];
