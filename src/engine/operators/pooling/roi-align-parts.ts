import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { clip } from "../elementwise/clip.js";
import { max } from "../elementwise/max.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { constantNumbers } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { concat } from "../layout/concat.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { transpose } from "../layout/transpose.js";
import { matMul } from "../linear/mat-mul.js";
import { and } from "../logic/and.js";
import { equal } from "../logic/equal.js";
import { greaterOrEqual } from "../logic/greater-or-equal.js";
import { lessOrEqual } from "../logic/less-or-equal.js";
import { where } from "../logic/where.js";
import { reduceMax } from "../reduction/reduce-max.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { tapsAt } from "../resampling/grid-sample-gradient.js";
import { adaptiveExtremes, adaptiveMean, largestNeighbor } from "./roi-align-adaptive.js";

export interface RoiAlignContext {
  readonly inputs: readonly [x: Value, rois: Value, batchIndices: Value];
  readonly attributes: {
    readonly coordinate_transformation_mode: string;
    readonly mode: string;
    readonly output_height: number;
    readonly output_width: number;
    readonly sampling_ratio: number;
    readonly spatial_scale: number;
  };
  readonly fail: (message: string) => never;
}

/**
 * RoiAlign as products of matrices. Interpolation acts on each axis alone: S_h [R, samples, H] holds the weights of the rows that the samples
 * of each box read, S_w likewise, and the value at sample (i, j) of box r is `S_h[r, i] x[b_r] S_w[r, j]ᵀ`. The mean over the samples of a cell
 * is taken of the matrices. In mode "max" ONNX Runtime 1.30 takes the largest of the four weighted neighbors of all samples, not of their
 * sums; so do we.
 */
export function roiAlignParts(context: RoiAlignContext): Value {
  const {
    inputs: [x],
    attributes,
  } = context;
  const size = [attributes.output_height, attributes.output_width] as const;
  if (attributes.mode === "avg" && attributes.sampling_ratio <= 0 && !context.inputs[1].constant) {
    const means = (axis: 0 | 1, cells: number, length: number) => {
      const { start, size } = boxesAlong(context, axis);
      return cast(adaptiveMean(start, size, cells, length), x.type);
    };
    return sample(context, means(1, size[0], x.shape[2]!), means(0, size[1], x.shape[3]!));
  }
  if (attributes.sampling_ratio <= 0 && !context.inputs[1].constant) {
    const extremes = (axis: 0 | 1, cells: number, length: number) => {
      const { start, size } = boxesAlong(context, axis);
      return adaptiveExtremes(start, size, cells, length);
    };
    const picture = gather(x, context.inputs[2]);
    return largestNeighbor(picture, extremes(1, size[0], x.shape[2]!), extremes(0, size[1], x.shape[3]!));
  }
  const [rows, columns] = [axisSamples(context, 1, x.shape[2]!), axisSamples(context, 0, x.shape[3]!)];
  if (attributes.mode === "avg") {
    const mean = ({ taps, share }: Samples) => reduceSum(mul(reduceSum(taps, [1]), share), [2]);
    return sample(context, mean(rows), mean(columns));
  }
  const flat = ({ taps }: Samples, tap: number) => {
    const [r, , cells, samples, length] = taps.shape as [number, number, number, number, number];
    return reshape(slice(taps, [tap], [tap + 1], { axes: [1] }), [r, cells * samples, length]);
  };
  const values = [0, 1].flatMap((i) => [0, 1].map((j) => sample(context, flat(rows, i), flat(columns, j))));
  const [r, c] = values[0]!.shape as [number, number];
  const [perRow, perColumn] = [rows.taps.shape[3]!, columns.taps.shape[3]!];
  const cells = values.map((v) => reshape(v, [r, c, size[0], perRow, size[1], perColumn, 1]));
  return reduceMax(concat(cells, 6), [3, 5, 6]);
}

interface Samples {
  /** `[R, 2, cells, samples, length]`: the weight of the element at or before each sample, and of the one behind it. */
  readonly taps: Value;
  /** `[1 or R, 1, samples, 1]`: what each sample counts in the mean of its cell. */
  readonly share: Value;
}

/** Where the boxes start along one axis, 0 is x and 1 is y, and how long they are, in pixels: `[R, 1, 1]`. */
function boxesAlong(
  { inputs: [, rois], attributes }: RoiAlignContext,
  axis: 0 | 1,
): { readonly start: Value; readonly size: Value } {
  const halfPixel = attributes.coordinate_transformation_mode === "half_pixel";
  const place = (column: number): Value => {
    const scaled = mul(slice(rois, [column], [column + 1], { axes: [1] }), attributes.spatial_scale);
    return reshape(halfPixel ? sub(scaled, 0.5) : scaled, [rois.shape[0]!, 1, 1]);
  };
  const start = place(axis);
  const extent = sub(place(axis + 2), start);
  // without the shift by half a pixel, a box has at least the size of one
  return { start, size: halfPixel ? extent : max(extent, 1) };
}

/** Where a box is sampled along one axis: 0 is x, 1 is y. */
function axisSamples(context: RoiAlignContext, axis: 0 | 1, length: number): Samples {
  const {
    inputs: [x, rois],
    attributes,
    fail,
  } = context;
  const type = rois.type;
  const halfPixel = attributes.coordinate_transformation_mode === "half_pixel";
  const cells = axis === 0 ? attributes.output_width : attributes.output_height;
  const boxes = rois.shape[0]!;
  const { start, size } = boxesAlong(context, axis);

  const counts = sampleCounts();
  const most = Math.max(1, ...counts);
  const fractions = counts.flatMap((count) =>
    Array.from({ length: cells * most }, (_, k) => {
      // boxes with fewer samples than others repeat their last one, without a share in the mean
      const s = Math.min(k % most, Math.max(count - 1, 0));
      return (Math.floor(k / most) + (s + 0.5) / Math.max(count, 1)) / cells;
    }),
  );
  const constant = (shape: readonly number[], values: readonly number[]): Value =>
    rois.graph.constant(tensor(type, shape, values));
  const at = add(start, mul(size, constant([counts.length, cells, most], fractions)));
  const samples = [boxes, 1, cells * most];
  const inside = and(greaterOrEqual(at, -1), lessOrEqual(at, length));
  const { index, weight } = tapsAt(reshape(clip(at, 0, length - 1), samples), length, "bilinear", "border", "half_pixel");
  const exists = constant(
    [counts.length, 1, 1],
    counts.map((count) => (count > 0 ? 1 : 0)),
  );
  const visible = reshape(where(inside, exists, 0), [...samples, 1]);
  const elements = constant(
    [1, 1, 1, length],
    Array.from({ length }, (_, i) => i),
  );
  const column = (v: Value) => reshape(v, [boxes, 2, cells * most, 1]);
  const dense = where(equal(column(index), elements), mul(column(weight), visible), 0);
  const shares = counts.flatMap((count) => Array.from({ length: most }, (_, s) => (s < count ? 1 / count : 0)));
  return {
    taps: cast(reshape(dense, [boxes, 2, cells, most, length]), x.type),
    share: cast(constant([counts.length, 1, most, 1], shares), x.type),
  };

  /** How many samples each box takes along the axis; one number where all take as many. */
  function sampleCounts(): number[] {
    if (attributes.sampling_ratio > 0) return [attributes.sampling_ratio];
    const f = Math.fround;
    const numbers = constantNumbers(rois, "rois", fail);
    return Array.from({ length: boxes }, (_, r) => {
      const ends = [axis, axis + 2].map((k) => f(f(numbers[4 * r + k]! * f(attributes.spatial_scale)) - (halfPixel ? 0.5 : 0)));
      const extent = f(ends[1]! - ends[0]!);
      return Math.max(0, Math.ceil(f((halfPixel ? extent : Math.max(extent, 1)) / cells)));
    });
  }
}

/** `S_h[r] x[b_r] S_w[r]ᵀ` for each box r and channel: `[R, C, rows, columns]`. */
function sample({ inputs: [x, , batchIndices] }: RoiAlignContext, rows: Value, columns: Value): Value {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const [boxes, samples] = [rows.shape[0]!, rows.shape[1]!];
  // the picture of a box is chosen by its row of the matrix: zeros for the others
  let ofPicture = rows;
  if (n > 1) {
    const pictures = x.graph.constant(
      tensor(
        "int64",
        [1, 1, n, 1],
        Array.from({ length: n }, (_, i) => i),
      ),
    );
    const chosen = equal(reshape(cast(batchIndices, "int64"), [boxes, 1, 1, 1]), pictures);
    ofPicture = where(chosen, reshape(rows, [boxes, samples, 1, height]), 0);
  }
  const stacked = reshape(transpose(x, [0, 2, 1, 3]), [n * height, c * width]);
  const read = matMul(reshape(ofPicture, [boxes * samples, n * height]), stacked);
  const perChannel = transpose(reshape(read, [boxes, samples, c, width]), [0, 2, 1, 3]);
  return matMul(perChannel, reshape(transpose(columns, [0, 2, 1]), [boxes, 1, width, columns.shape[1]!]));
}
