/**
 * Resize is linear and acts on each axis alone: along one axis the output is `R · input` with a constant matrix R [output, input]. This file
 * builds R as ONNX Runtime 1.30 does. Coordinates are rounded to float32 after every operation as there, because a coordinate on the border
 * between two elements decides which of them "nearest" takes.
 */

export type ResizeMode = "nearest" | "linear" | "cubic";
export type CoordinateMode =
  | "half_pixel"
  | "half_pixel_symmetric"
  | "pytorch_half_pixel"
  | "align_corners"
  | "asymmetric"
  | "tf_crop_and_resize"
  | "tf_half_pixel_for_nn";
export type NearestMode = "round_prefer_floor" | "round_prefer_ceil" | "floor" | "ceil";

/** How one axis is resized. */
export interface ResizedAxis {
  readonly input: number;
  readonly output: number;
  /** Output size over input size; float32, as given or as follows from the sizes. */
  readonly scale: number;
  /** The part of the input that "tf_crop_and_resize" looks at, in units of the input's length. */
  readonly region: readonly [start: number, end: number];
}

export interface Interpolation {
  readonly mode: ResizeMode;
  readonly coordinates: CoordinateMode;
  readonly nearest: NearestMode;
  /** The `a` of Keys' cubic kernel. */
  readonly cubicCoefficient: number;
  /** Weights of positions outside the input: given to the border ("repeat") or dropped, the others rescaled ("exclude"). */
  readonly outside: "repeat" | "exclude";
  /** Whether kernels widen when the output is smaller than the input. */
  readonly downsampling: "plain" | "antialias";
}

/** Which inputs an output position reads and with what weights. */
type Taps = readonly (readonly [input: number, weight: number])[];

const f = Math.fround;

/** R, row-major `[output, input]`. Rows that lie outside the region's reach, where "tf_crop_and_resize" extrapolates, are zero. */
export function resizeMatrix(axis: ResizedAxis, how: Interpolation): Float64Array {
  const matrix = new Float64Array(axis.output * axis.input);
  for (let o = 0; o < axis.output; o++) {
    const x = axis.scale === 1 ? o : coordinate(o, axis, how.coordinates);
    if (how.coordinates === "tf_crop_and_resize" && (x < 0 || x > axis.input - 1)) continue;
    for (const [i, weight] of taps(x, axis, how)) {
      const inside = Math.min(Math.max(i, 0), axis.input - 1);
      matrix[o * axis.input + inside]! += weight;
    }
  }
  return matrix;
}

/** The place in the input that output position `o` looks at. */
function coordinate(o: number, { input, output, scale, region: [start, end] }: ResizedAxis, mode: CoordinateMode): number {
  switch (mode) {
    case "half_pixel":
      return f(f(f(o + 0.5) / scale) - 0.5);
    case "pytorch_half_pixel":
      return output > 1 ? f(f(f(o + 0.5) / scale) - 0.5) : 0;
    case "half_pixel_symmetric": {
      // the part of the input that rounding leaves out is shared by both ends
      const center = f(f(input / 2) * f(1 - adjustment({ input, output, scale })));
      return f(center + f(f(f(o + 0.5) / scale) - 0.5));
    }
    case "tf_half_pixel_for_nn":
      return f(f(o + 0.5) / scale);
    case "asymmetric":
      return f(o / scale);
    case "align_corners":
      return output === 1 ? 0 : f(f(o * (input - 1)) / (output - 1));
    case "tf_crop_and_resize":
      return output > 1
        ? f(f(start * (input - 1)) + f(f(f(o * f(end - start)) * (input - 1)) / (output - 1)))
        : f(f(0.5 * f(start + end)) * (input - 1));
  }
}

/** The output's size over that which was asked for, before it was rounded to a whole number. */
export const adjustment = ({ input, output, scale }: Pick<ResizedAxis, "input" | "output" | "scale">): number =>
  f(output / f(scale * input));

function taps(x: number, axis: ResizedAxis, how: Interpolation): Taps {
  if (how.mode === "nearest") return [[nearest(x, how.nearest), 1]];
  if (how.downsampling === "antialias") return antialiased(x, axis, how);
  if (how.mode === "linear") return linear(Math.min(Math.max(x, 0), axis.input - 1));
  return cubic(x, axis.input, how);
}

function nearest(x: number, mode: NearestMode): number {
  switch (mode) {
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "round_prefer_floor":
      return Math.ceil(x - 0.5);
    case "round_prefer_ceil":
      return Math.floor(x + 0.5);
  }
}

function linear(x: number): Taps {
  const left = Math.floor(x);
  return [
    [left, 1 - (x - left)],
    [left + 1, x - left],
  ];
}

function cubic(x: number, input: number, { cubicCoefficient, outside }: Interpolation): Taps {
  const first = Math.floor(x) - 1;
  const all = [0, 1, 2, 3].map((k): [number, number] => [first + k, cubicKernel(first + k - x, cubicCoefficient)]);
  return outside === "exclude" ? normalized(all.filter(([i]) => i >= 0 && i < input)) : all;
}

/** Weights of a kernel stretched over as many inputs as one output stands for. */
function antialiased(x: number, { input, scale }: ResizedAxis, how: Interpolation): Taps {
  const stretch = Math.max(f(1 / scale), 1);
  const support = (how.mode === "linear" ? 1 : 2) * stretch;
  const center = x + 0.5;
  let [from, to] = [Math.floor(center - support + 0.5), Math.floor(center + support + 0.5)];
  if (how.outside === "exclude") [from, to] = [Math.max(from, 0), Math.min(to, input)];
  const kernel = how.mode === "linear" ? triangle : (d: number) => cubicKernel(d, how.cubicCoefficient);
  return normalized(
    Array.from({ length: to - from }, (_, k): [number, number] => [from + k, kernel((from + k + 0.5 - center) / stretch)]),
  );
}

const triangle = (d: number): number => Math.max(1 - Math.abs(d), 0);

/** Keys, "Cubic convolution interpolation for digital image processing" (1981). */
function cubicKernel(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

function normalized(weights: Taps): Taps {
  const sum = weights.reduce((s, [, w]) => s + w, 0);
  return sum === 0 ? weights : weights.map(([i, w]) => [i, w / sum] as const);
}
