import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { clip } from "../elementwise/clip.js";
import { div } from "../elementwise/div.js";
import { floor } from "../elementwise/floor.js";
import { mul } from "../elementwise/mul.js";
import { round } from "../elementwise/round.js";
import { sub } from "../elementwise/sub.js";
import { gatherElements } from "../indexing/gather-elements.js";
import { scatterElements } from "../indexing/scatter-elements.js";
import { concat } from "../layout/concat.js";
import { expand } from "../layout/expand.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { equal } from "../logic/equal.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { zerosLike } from "../zeros.js";
import type { GridSampleMode, GridSampleOptions, GridSamplePadding } from "./grid-sample.js";

/**
 * `y[p] = Σ_{j, k} wy_j(v) · wx_k(u) · x[row_j, column_k]` for the sampled place (u, v), where `column_k = pad(⌊u⌋ + offset_k)`, the weights
 * are polynomials in `u - ⌊u⌋`, and padding acts on the whole-numbered columns and rows. Hence
 *
 *     dx[row_j, column_k] += g · wy_j · wx_k      du = Σ_{j, k} wy_j · wx_k' · Σ_c g · x[row_j, column_k]      dv likewise
 *
 * Positions are P = H'·W', taps T = (1, 2 or 4)²; everything below is [N, channels, taps, P].
 */
export function gridSampleGradient(
  x: Value,
  grid: Value,
  g: Value,
  wanted: readonly boolean[],
  { mode, padding, coordinates }: Required<GridSampleOptions>,
): [Value | undefined, Value | undefined] {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const positions = grid.shape[1]! * grid.shape[2]!;
  const along = (axis: 0 | 1, size: number) =>
    tapsAlong(reshape(slice(grid, [axis], [axis + 1], { axes: [3] }), [n, 1, positions]), size, mode, padding, coordinates);
  const columns = along(0, width);
  const rows = along(1, height);
  const taps = columns.index.shape[1]! ** 2;

  // rows vary first, columns second: [N, Ty, 1, P] with [N, 1, Tx, P]
  const outer = (row: Value, column: Value, join: (a: Value, b: Value) => Value): Value =>
    reshape(join(reshape(row, insert(row.shape, 2)), reshape(column, insert(column.shape, 1))), [n, 1, taps, positions]);
  // float32 counts to 2²⁴, the pixels of a picture of 4096 x 4096
  const counted = (index: Value): Value => (height * width > 2 ** 24 ? cast(index, "int64") : index);
  const place = cast(
    outer(counted(rows.index), counted(columns.index), (r, k) => add(mul(r, width), k)),
    "int64",
  );
  const places = expand(reshape(place, [n, 1, taps * positions]), [n, c, taps * positions]);
  const image = reshape(x, [n, c, height * width]);
  const cotangent = reshape(g, [n, c, 1, positions]);
  const weights = (row: Value, column: Value): Value => cast(outer(row, column, mul), x.type);

  let dx: Value | undefined;
  if (wanted[0]) {
    const updates = mul(cotangent, weights(rows.weight, columns.weight));
    const scattered = scatterElements(zerosLike(image), places, reshape(updates, [n, c, taps * positions]), 2, "add");
    dx = reshape(scattered, x.shape);
  }
  let dgrid: Value | undefined;
  if (wanted[1] && columns.slope && rows.slope) {
    const sampled = reshape(gatherElements(image, places, 2), [n, c, taps, positions]);
    const products = reduceSum(mul(cotangent, sampled), [1], "keep");
    const summed = (slopes: Value, scale: number): Value =>
      reshape(mul(reduceSum(mul(products, slopes), [1, 2]), scale), [...grid.shape.slice(0, 3), 1]);
    dgrid = cast(
      concat(
        [summed(weights(rows.weight, columns.slope), columns.scale), summed(weights(rows.slope, columns.weight), rows.scale)],
        3,
      ),
      grid.type,
    );
  }
  return [dx, dgrid];
}

/** What is read along one axis, for each of P places: T columns (rows) with their weights. */
export interface Taps {
  /** Columns (rows) that are read, inside the image: `[N, T, P]`, whole numbers in the type of the places. */
  readonly index: Value;
  readonly weight: Value;
  /** Derivative of the weights with respect to the place in pixels; undefined where they are constant. */
  readonly slope: Value | undefined;
}

interface AxisTaps extends Taps {
  /** Pixels per unit of the grid. */
  readonly scale: number;
}

function tapsAlong(
  grid: Value,
  size: number,
  mode: GridSampleMode,
  padding: GridSamplePadding,
  coordinates: "half_pixel" | "align_corners",
): AxisTaps {
  const scale = (coordinates === "align_corners" ? size - 1 : size) / 2;
  return { ...tapsAt(add(mul(grid, scale), (size - 1) / 2), size, mode, padding, coordinates), scale };
}

/**
 * Taps about places in pixels.
 *
 * @param place `[N, 1, P]`; 0 is the center of the first pixel of the axis
 * @param size pixels of the axis
 */
export function tapsAt(
  place: Value,
  size: number,
  mode: GridSampleMode,
  padding: GridSamplePadding,
  coordinates: "half_pixel" | "align_corners",
): Taps {
  const { offsets, coefficients } = kernels[mode];
  const perTap = (values: readonly number[]): Value => place.graph.constant(tensor(place.type, [1, values.length, 1], values));
  const first = mode === "nearest" ? round(place) : floor(place);
  const raw = add(first, perTap(offsets));
  const index = clip(padding === "reflection" ? reflect(raw, size, coordinates) : raw, 0, size - 1);
  const visible = (w: Value): Value => (padding === "zeros" ? where(equal(raw, index), w, 0) : w);
  const fraction = sub(place, first);
  const polynomial = (c: readonly (readonly number[])[]): Value =>
    c.slice(0, -1).reduceRight((sum, values) => add(mul(sum, fraction), perTap(values)), perTap(c.at(-1)!));
  const slopes = coefficients.slice(1).map((values, k) => values.map((v) => v * (k + 1)));
  return {
    index,
    weight: visible(expandTo(polynomial(coefficients), raw)),
    slope: slopes.length > 0 ? visible(expandTo(polynomial(slopes), raw)) : undefined,
  };
}

const expandTo = (w: Value, like: Value): Value => expand(w, like.shape);

/** Taps relative to the pixel at or left of the place, and their weights as polynomials in the fraction: row k holds the factors of t^k. */
const kernels: Readonly<Record<GridSampleMode, { offsets: readonly number[]; coefficients: readonly (readonly number[])[] }>> = {
  nearest: { offsets: [0], coefficients: [[1]] },
  bilinear: {
    offsets: [0, 1],
    coefficients: [
      [1, 0],
      [-1, 1],
    ],
  },
  // Keys (1981) with a = -0.75, at the distances 1 + t, t, 1 - t and 2 - t
  bicubic: {
    offsets: [-1, 0, 1, 2],
    coefficients: [
      [0, 1, 0, 0],
      [-0.75, 0, 0.75, 0],
      [1.5, -2.25, 1.5, -0.75],
      [-0.75, 1.25, -1.25, 0.75],
    ],
  },
};

/** Mirrors whole numbers into [0, size): about the border pixels' centers for "align_corners", else about their outer edges. */
function reflect(index: Value, size: number, coordinates: "half_pixel" | "align_corners"): Value {
  const [period, last] = coordinates === "align_corners" ? [2 * (size - 1), 2 * (size - 1)] : [2 * size, 2 * size - 1];
  if (period === 0) return mul(index, 0);
  const inPeriod = sub(index, mul(floor(div(index, period)), period));
  return where(greater(inPeriod, size - 1), sub(last, inPeriod), inPeriod);
}

const insert = (shape: readonly number[], axis: number): number[] => [...shape.slice(0, axis), 1, ...shape.slice(axis)];
