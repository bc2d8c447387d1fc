import type { Value } from "../../engine/graph/graph.js";
import {
  add,
  div,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  slice,
  stopGradient,
  sub,
  withGradient,
} from "../../engine/operators/index.js";
import { interiorReading } from "./interior.js";
import { determinant, type Layout, type Point } from "./layouts/layout.js";
import { columnLike, pixelSamples, type Size, sampleImages } from "./samples.js";

/** Random places along the edges between pixels, in [0, 1). */
export interface EdgeOffsets {
  /** Along the h + 1 rows of w edges each that run from left to right: [(h + 1)·w, K]. */
  readonly horizontal: Value;
  /** Along the h rows of w + 1 edges each that run from top to bottom: [h·(w + 1), K]. */
  readonly vertical: Value;
}

/**
 * The reading of `interiorReading`, whose gradient by the layout is the boundary integral (Reynolds' transport theorem):
 *
 *     dI/dθ = 1/A ∮ (img - I) (n · ∂φ/∂θ) dl      over the boundary of φ(pixel), n its outward normal, A its area
 *
 * On the sensor's grid the pixel is a rectangle of 2/w by 2/h, and n dl = det φ' · φ'^-T N dL for the normal N of its sides:
 *
 *     bottom: (-∂φ_y/∂x, ∂φ_x/∂x) dx, top: minus that      right: (∂φ_y/∂y, -∂φ_x/∂y) dy, left: minus that
 *
 * so that K samples of a top or bottom edge weigh (2/w)/K each, those of a left or right edge (2/h)/K; the published code has the two
 * lengths exchanged, which only square sensors forgive. Neighbors share the samples of the edge between them. I and A come from the interior
 * samples. The gradient by the image is that of the reading.
 */
export function boundaryReading(
  images: Value,
  layout: Layout,
  theta: readonly Value[],
  size: Size,
  offsets: Point,
  edges: EdgeOffsets,
): Value {
  if (layout.parameters.length === 0) return interiorReading(images, layout, theta, size, offsets);
  const fixed = theta.map(stopGradient);
  const reading = interiorReading(images, layout, fixed, size, offsets);
  const change = boundaryChange(stopGradient(images), stopGradient(reading), layout, theta, fixed, size, offsets, edges);
  return withGradient(reading, add(reading, change));
}

/** Only its derivative by θ means anything: 1/A Σ (img - I) n · φ(θ) over the samples of each pixel's boundary, all but φ(θ) held fixed. */
function boundaryChange(
  images: Value,
  reading: Value,
  layout: Layout,
  theta: readonly Value[],
  fixed: readonly Value[],
  size: Size,
  offsets: Point,
  edges: EdgeOffsets,
): Value {
  const [height, width] = size;
  const [n, c] = images.shape as [number, number];
  // Flow of the moving boundary over each edge, of the image and of bare area.
  const flow = (p: Point, normal: Point, weight: number, rows: number, columns: number) => {
    const at = layout.map(p, theta);
    const moved = mul(add(mul(normal.x, at.x), mul(normal.y, at.y)), weight);
    const seen = sampleImages(images, layout.map(p, fixed));
    return {
      image: reshape(reduceSum(mul(seen, moved), [2]), [n, c, rows, columns]),
      area: reshape(reduceSum(moved, [1]), [1, 1, rows, columns]),
    };
  };
  const down = (p: Point) => {
    const j = layout.jacobian(p, fixed);
    return { x: neg(j.yx), y: j.xx };
  };
  const right = (p: Point) => {
    const j = layout.jacobian(p, fixed);
    return { x: j.yy, y: neg(j.xy) };
  };
  const across = horizontalSamples(edges.horizontal, size);
  const along = verticalSamples(edges.vertical, size);
  const rows = flow(across, down(across), 2 / width / edges.horizontal.shape[1]!, height + 1, width);
  const columns = flow(along, right(along), 2 / height / edges.vertical.shape[1]!, height, width + 1);
  const out = (of: "image" | "area") => add(difference(rows[of], 2), difference(columns[of], 3));
  const magnification = reduceMean(determinant(layout.jacobian(pixelSamples(offsets, size), fixed)), [1], "keep");
  const area = mul(reshape(magnification, [1, 1, height, width]), (2 / width) * (2 / height));
  return div(sub(out("image"), mul(reading, out("area"))), area);
}

/** What leaves by the far edge less what comes in by the near one. */
function difference(flow: Value, axis: number): Value {
  const count = flow.shape[axis]!;
  return sub(slice(flow, [1], [count], { axes: [axis] }), slice(flow, [0], [count - 1], { axes: [axis] }));
}

function horizontalSamples(offsets: Value, [height, width]: Size): Point {
  const edges = Array.from({ length: (height + 1) * width }, (_, i) => i);
  const left = edges.map((i) => -1 + (2 * (i % width)) / width);
  const level = edges.map((i) => -1 + (2 * Math.floor(i / width)) / height);
  return { x: add(columnLike(offsets, left), mul(offsets, 2 / width)), y: add(columnLike(offsets, level), mul(offsets, 0)) };
}

function verticalSamples(offsets: Value, [height, width]: Size): Point {
  const edges = Array.from({ length: height * (width + 1) }, (_, i) => i);
  const level = edges.map((i) => -1 + (2 * (i % (width + 1))) / width);
  const top = edges.map((i) => -1 + (2 * Math.floor(i / (width + 1))) / height);
  return { x: add(columnLike(offsets, level), mul(offsets, 0)), y: add(columnLike(offsets, top), mul(offsets, 2 / height)) };
}
