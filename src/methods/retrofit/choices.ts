import type { Value } from "../../engine/graph/graph.js";
import { cast } from "../../engine/operators/index.js";
import { type FloatType, gradientType, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { asapPool, flcPool, lctc } from "../../vision/nn/resampling/index.js";
import { Left, type Transposed } from "../../vision/resampling/index.js";
import type { DownChoiceName, UpChoiceName } from "./names.js";

/** Brings a map to its final size by a low-pass. */
export type DownChoice = (undecimated: Value, size: readonly [height: number, width: number]) => Value;

export const downChoices = {
  flc: (x, size) => inFullPrecision(x, (v) => flcPool(v, { size })),
  asap: (x, size) => inFullPrecision(x, (v) => asapPool(v, { size })),
} as const satisfies Readonly<Record<DownChoiceName, DownChoice>>;

/** A low-pass sums over whole rows: of float16 maps in float32. */
const inFullPrecision = (x: Value, pool: (x: Value) => Value): Value => cast(pool(cast(x, gradientType(x.type))), x.type);

/** Takes the place of a layer that raises the resolution. `name` is for its parameters. */
export type UpChoice = (layer: Transposed, name: string) => Value | Left;

/**
 * A transposed convolution with a large kernel that begins as the layer it replaces: the layer's kernel in the middle, zeros around it, and zeros in
 * the small kernel beside it. Training finds what the room is for.
 */
const large =
  (side: number, parallel?: number): UpChoice =>
  ({ x, weight, groups, factor, pad, finish }, name) => {
    const [inputs, outputs, rows, columns] = weight.shape as [number, number, number, number];
    const begin = [rows, columns].map((k, axis) => ({ at: (side - 1) / 2 - pad[axis]!, k }));
    if (begin.some(({ at, k }) => at < 0 || at + k > side)) return new Left(tooLarge(weight, pad, side));
    const values = new Float64Array(inputs * outputs * side * side);
    const [top, left] = begin.map(({ at }) => at) as [number, number];
    toNumbers(weight).forEach((v, i) => {
      const [plane, u, t] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
      values[(plane * side + top + u) * side + left + t] = v;
    });
    const parameter = (what: string, k: number, numbers?: Float64Array) =>
      x.graph.constant(tensor(weight.type, [inputs, outputs, k, k], numbers), `${name}.${what}.weight`, "weight");
    return finish(
      lctc(x, {
        weight: parameter("large", side, values),
        groups,
        factor,
        ...(parallel && { parallel: { weight: parameter("small", parallel) } }),
      }),
    );
  };

/** Which choice would have room. */
function tooLarge({ shape: [, , ...sides] }: Tensor<FloatType>, pad: readonly number[], side: number): string {
  const needed = 1 + 2 * Math.max(...sides.map((k, axis) => Math.max(pad[axis]!, k - 1 - pad[axis]!)));
  const roomy = [7, 9, 11, 15, 31].find((s) => s >= needed);
  const advice = roomy === undefined ? "and no choice has room" : `--up lctc-${roomy} has room`;
  return `its kernel of ${sides.join("x")} does not fit into the middle of ${side}x${side}; ${advice}`;
}

export const upChoices = {
  "lctc-7": large(7),
  "lctc-7+3": large(7, 3),
  "lctc-9": large(9),
  "lctc-9+3": large(9, 3),
  "lctc-11": large(11),
  "lctc-11+3": large(11, 3),
  "lctc-15": large(15),
  "lctc-15+3": large(15, 3),
  "lctc-31": large(31),
  "lctc-31+3": large(31, 3),
} as const satisfies Readonly<Record<UpChoiceName, UpChoice>>;
