import { Graph, type Value } from "../../engine/graph/graph.js";
import {
  abs,
  add,
  argMax,
  cast,
  concat,
  div,
  equal,
  greater,
  less,
  logSoftmax,
  mul,
  not,
  reduceSum,
  reshape,
  softmax,
  sqrt,
  sub,
  where,
} from "../../engine/operators/index.js";
import type { Shape } from "../../engine/tensor/tensor.js";
import { sizeOf } from "../../engine/tensor/tensor.js";

/**
 * What is measured of a reset, for predictions over classes: p = softmax z0 of the intact network, q = softmax z of the reset one, per image
 * or (dense) per pixel.
 *
 * | name | formula |
 * |---|---|
 * | distance | 1 - cos(p, q): criticality is its mean |
 * | l1, l2 | ‖p - q‖₁, ‖p - q‖₂ |
 * | kl | Σ p (log p - log q) |
 * | flips | 1 where argmax p ≠ argmax q |
 * | correct | 1 where argmax q is the label (0 where there is none) |
 *
 * A reset can drive logits beyond all numbers. A prediction that is no number is as lost as one can be: distance 1, l1 2, l2 √2, flipped, not correct.
 */
export const classMeasures = ["distance", "l1", "l2", "kl", "flips", "correct"] as const;

/**
 * For continuous predictions y0 and y (flow, disparity, restoration). This is our extension, not part of the published method: "distance" is
 * the normalized change of each image, ‖y - y0‖² / (‖y - y0‖² + ‖y0 - mean y0‖²) over its valid pixels, means per channel. 0: nothing changed;
 * 1/2: the change is as large as the prediction's own variation; towards 1: the prediction is lost. It does not depend on the unit.
 * l1 is the mean over channels of |y - y0|, l2 is ‖y - y0‖₂ over the channels, per pixel in the task's unit. Predictions that are no numbers
 * have distance 1 and l1 and l2 of 1e30.
 */
export const changeMeasures = ["distance", "l1", "l2"] as const;

export type MeasureName = (typeof classMeasures)[number];
/** Sums over what counts: images in classification, valid pixels in dense tasks. */
export type MeasureSums = Readonly<Partial<Record<MeasureName, number>>>;

export type PredictionKind = "classes" | "continuous";

export const measuresOf = (kind: PredictionKind): readonly MeasureName[] => (kind === "classes" ? classMeasures : changeMeasures);

/**
 * The program that compares predictions: inputs "intact" and "reset" as given by `shape` [B, K, ...], "weight" float32 [B, ...] (1 where the
 * pixel counts, else 0) and, for classes, "labels" int64 [B, ...] (negative: none). Output "sums" float32 [measures, B] over each sample.
 *
 * Identical predictions yield exactly 0 in every difference: 1 - cos is computed as ‖p/‖p‖ - q/‖q‖‖² / 2. All sums are finite.
 */
export function measureModel(kind: PredictionKind, shape: Shape): Graph {
  const graph = new Graph();
  const [batch, , ...pixels] = shape as [number, number, ...number[]];
  const intact = graph.input("intact", "float32", shape);
  const reset = graph.input("reset", "float32", shape);
  const weight = graph.input("weight", "float32", [batch, ...pixels]);
  const perPixel =
    kind === "classes"
      ? ofClasses(intact, reset, graph.input("labels", "int64", [batch, ...pixels]))
      : ofChange(intact, reset, weight);
  const flat = (v: Value) => reshape(v, [batch, Math.max(1, sizeOf(pixels))]);
  const weights = flat(weight);
  const sums = perPixel.map((v) =>
    reshape(reduceSum(where(greater(weights, 0), mul(flat(v), weights), 0), [1], "drop"), [1, batch]),
  );
  graph.output("sums", concat(sums, 0));
  return graph;
}

function ofClasses(z0: Value, z: Value, labels: Value): Value[] {
  const [p, q] = [softmax(z0, 1), softmax(z, 1)];
  const d = sub(p, q);
  const unit = (v: Value) => div(v, norm(v, "keep"));
  const u = sub(unit(p), unit(q));
  const [a, b] = [argMax(z0, 1, "drop"), argMax(z, 1, "drop")];
  const distance = mul(reduceSum(mul(u, u), [1], "drop"), 0.5);
  const number = less(distance, 2);
  return [
    atMost(distance, 1),
    atMost(reduceSum(abs(d), [1], "drop"), 2),
    atMost(norm(d, "drop"), Math.SQRT2),
    atMost(reduceSum(mul(p, sub(logSoftmax(z0, 1), logSoftmax(z, 1))), [1], "drop"), most),
    where(number, cast(not(equal(a, b)), "float32"), 1),
    where(number, cast(equal(b, labels), "float32"), 0),
  ];
}

/** So large that nothing is mistaken for it, and sums of it are still numbers. */
const most = 1e30;

/** Also for what is no number: NaN is less than nothing. */
const atMost = (v: Value, bound: number): Value => where(less(v, bound), v, bound);

const norm = (v: Value, reduced: "keep" | "drop"): Value => sqrt(reduceSum(mul(v, v), [1], reduced));

function ofChange(y0: Value, y: Value, weight: Value): Value[] {
  const [batch, channels, ...pixels] = y0.shape as [number, number, ...number[]];
  const axes = pixels.map((_, i) => i + 2);
  const mask = reshape(weight, [batch, 1, ...pixels]);
  const d = where(greater(mask, 0), sub(y, y0), 0);
  const count = reduceSum(mask, axes, "keep");
  const centerd = mul(sub(y0, div(reduceSum(mul(y0, mask), axes, "keep"), count)), mask);
  const energy = (v: Value) => reduceSum(mul(v, v), [1, ...axes], "keep");
  const [change, own] = [energy(d), energy(centerd)];
  // nothing changed: 0, also where the prediction is constant
  const normalized = where(equal(change, 0), 0, atMost(div(change, add(change, own)), 1));
  const perPixel = mul(reshape(normalized, [batch, ...pixels.map(() => 1)]), weight);
  return [perPixel, atMost(div(reduceSum(abs(d), [1], "drop"), channels), most), atMost(norm(d, "drop"), most)];
}
