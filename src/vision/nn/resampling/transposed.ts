import { GraphError, type Value } from "../../../engine/graph/graph.js";
import { add, convTranspose } from "../../../engine/operators/index.js";
import { channels, convTranspose2d } from "../layers/convolution.js";
import type { Scope } from "../scope.js";
import type { UpPlace, Upsampling } from "./place.js";

/** A transposed convolution's tensors: weight [C, out / groups, k, k], bias [out]. */
export interface TransposedKernel {
  readonly weight: Value;
  readonly bias?: Value;
}

export interface LctcOptions extends TransposedKernel {
  /** A small kernel beside the large one; the results are added. */
  readonly parallel?: TransposedKernel;
  /** Default 1; the authors' Restormer has as many as output channels, their NAFNet 1. */
  readonly groups?: number;
  /** How many times as large the result is along each axis; default 2, as in the paper. */
  readonly factor?: readonly [height: number, width: number];
}

/**
 * Large-context transposed convolution (Agnihotri et al. 2024, "Improving Feature Stability during Upsampling", arXiv 2311.17524): doubles the
 * resolution by a transposed convolution of stride 2 whose kernel is large enough to average out what zeros between the samples put into the
 * spectrum, `y = convTranspose(x, W) + b [+ convTranspose(x, V) + c]`, padding (k - 1) / 2 and output padding 1 (none for k = 2). For another
 * factor s: stride s, output padding s - 1 (none for k = s).
 *
 * @param x [N, C, H, W]
 * @returns [N, out, 2 H, 2 W], or s H and s W
 * @throws GraphError for a kernel that is not square, or whose side is neither odd nor the factor.
 * @example const y = lctc(x, { weight, parallel: { weight: small }, groups: 24 }); // [1, 24, 64, 64] of x [1, 48, 32, 32], weight [48, 1, 11, 11]
 */
export function lctc(x: Value, { weight, bias, parallel, groups = 1, factor = [2, 2] }: LctcOptions): Value {
  const large = enlarged(x, { weight, ...(bias && { bias }) }, groups, factor);
  return parallel ? add(large, enlarged(x, parallel, groups, factor)) : large;
}

function enlarged(x: Value, { weight, bias }: TransposedKernel, groups: number, factor: readonly [number, number]): Value {
  const [, , kernel, width] = weight.shape;
  if (!factor.every((f) => Number.isInteger(f) && f >= 1))
    throw new GraphError(`lctc: the factors ${factor.join(" and ")} must be whole numbers of at least 1.`);
  const fits = kernel! % 2 === 1 || factor.every((f) => f === kernel);
  if (weight.shape.length !== 4 || kernel !== width || !fits)
    throw new GraphError(
      `lctc: a weight of shape [${weight.shape.join(", ")}] has no square kernel whose side is odd or the factor ${factor.join(" and ")}.`,
    );
  const margin = factor.map((f) => margins(kernel!, f));
  const pads = margin.map((m) => m.padding);
  return convTranspose(x, weight, {
    ...(bias && { bias }),
    strides: factor,
    pads: [...pads, ...pads],
    outputPadding: margin.map((m) => m.outputPadding),
    group: groups,
  });
}

/** What makes the result exactly `factor` times as large. */
const margins = (kernel: number, factor = 2) =>
  kernel === factor ? { padding: 0, outputPadding: 0 } : { padding: (kernel - 1) / 2, outputPadding: factor - 1 };

/** A transposed convolution of this kernel, 2 or odd; with `parallel`, a smaller one beside it. */
export const transposed = (kernel: number, parallel?: number): Upsampling => ({
  source: kernel > 3 ? "Agnihotri et al. 2024, arXiv 2311.17524" : "Long et al. 2015, arXiv 1411.4038",
  apply: (place) => {
    const large = layer(place, place.large, kernel);
    return parallel === undefined ? large : add(large, layer(place, place.small, parallel));
  },
});

function layer({ x, out, bias, groups }: UpPlace, scope: Scope, kernel: number): Value {
  const count = groups(kernel);
  if (channels(x) % count !== 0 || out % count !== 0)
    throw new GraphError(`A transposed convolution from ${channels(x)} to ${out} channels cannot be split into ${count} groups.`);
  return convTranspose2d(scope, x, { out, kernel, stride: 2, groups: count, bias, ...margins(kernel) });
}
