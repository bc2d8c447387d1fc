import type { Value } from "../../engine/graph/graph.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { asapPool, flcPool, lctc } from "../../vision/nn/resampling/index.js";
import { Left, type Transposed } from "../../vision/resampling/index.js";
import type { DownChoiceName, UpChoiceName } from "./names.js";

/** Brings a map to its final size by a low-pass. */
export type DownChoice = (undecimated: Value, size: readonly [height: number, width: number]) => Value;

export const downChoices = {
  flc: (x, size) => flcPool(x, { size }),
  asap: (x, size) => asapPool(x, { size }),
} as const satisfies Readonly<Record<DownChoiceName, DownChoice>>;

/** Takes the place of a layer that doubles the resolution. `name` is for its parameters. */
export type UpChoice = (layer: Transposed, name: string) => Value | Left;

/**
 * A transposed convolution with a large kernel that begins as the layer it replaces: the layer's kernel in the middle, zeros around it, and zeros in
 * the small kernel beside it. Training finds what the room is for.
 */
const large =
  (side: number, parallel?: number): UpChoice =>
  ({ x, weight, groups, pad, finish }, name) => {
    const [inputs, outputs, k] = weight.shape as [number, number, number];
    const begin = (side - 1) / 2 - pad;
    if (begin < 0 || begin + k > side) return new Left(`its kernel of ${k}x${k} does not fit into the middle of ${side}x${side}`);
    const wide = tensor("float32", [inputs, outputs, side, side]);
    for (let plane = 0; plane < inputs * outputs; plane++)
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++)
          wide.data[(plane * side + begin + i) * side + begin + j] = weight.data[(plane * k + i) * k + j]!;
    const parameter = (what: string, t: typeof wide) => x.graph.constant(t, `${name}.${what}.weight`, "weight");
    return finish(
      lctc(x, {
        weight: parameter("large", wide),
        groups,
        ...(parallel && {
          parallel: { weight: parameter("small", tensor("float32", [inputs, outputs, parallel, parallel])) },
        }),
      }),
    );
  };

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
