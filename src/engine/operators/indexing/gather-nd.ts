import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { emit, scalar } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { zerosLike } from "../zeros.js";
import { addAt } from "./gather.js";

/** Takes slices of `x`: the last axis of `indices` holds coordinates of the first axes (after `batchDims` shared ones). */
export const gatherND = (x: Value, indices: Value, batchDims = 0): Value =>
  emit(GatherND, [x, indices], { batch_dims: batchDims });

export const GatherND = defineOperator({
  name: "GatherND",
  inputs: ["data", "indices"],
  outputs: ["output"],
  attributes: { batch_dims: int(0) },
  flops: "none",
  infer: ({ inputs: [x, indices], attributes: { batch_dims: b }, fail }) => {
    const depth = indices.shape.at(-1) ?? fail("indices must have at least one axis");
    if (b < 0 || b >= indices.shape.length || b + depth > x.shape.length)
      fail(`${depth} coordinates after ${b} batch axes do not fit the data`);
    if (!indices.shape.slice(0, b).every((d, i) => d === x.shape[i])) fail(`the first ${b} axes of data and indices must agree`);
    return [{ type: x.type, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(b + depth)] }];
  },
  range: ofFirst,
  // each slice sums the cotangents of its copies, on the data seen as rows and the coordinates as row numbers
  gradient: ({ inputs: [x, indices], attributes: { batch_dims } }, [g]) => [sumSlices(x, indices, g, batch_dims)],
});

/** Zeros of the shape of `x` plus the slices at the coordinates, repeated ones included. The dual of GatherND. */
export function sumSlices(x: Value, indices: Value, slices: Value, batchDims = 0): Value {
  const depth = indices.shape.at(-1)!;
  const rows = sizeOf(x.shape.slice(0, batchDims + depth));
  const width = sizeOf(x.shape.slice(batchDims + depth));
  const numbers = rowNumbers(x, indices, batchDims);
  const summed = addAt(zerosLike(x, [rows, width]), 0, numbers, reshape(slices, [numbers.shape[0]!, width]));
  return reshape(summed, x.shape);
}

/** Coordinates as row numbers of `x` seen as a matrix: Σ coordinate · stride, plus the number of the batch entry. */
function rowNumbers(x: Value, indices: Value, batchDims: number): Value {
  const graph = x.graph;
  const depth = indices.shape.at(-1)!;
  const sizes = x.shape.slice(batchDims, batchDims + depth);
  const perBatch = sizeOf(indices.shape.slice(batchDims, -1));
  const batches = sizeOf(x.shape.slice(0, batchDims));
  const coordinates = reshape(indices, [batches * perBatch, depth]);
  const wrapped = where(
    greater(scalar(graph, 0, "int64"), coordinates),
    add(coordinates, graph.constant(tensor("int64", [depth], sizes))),
    coordinates,
  );
  const strides = sizes.map((_, i) => sizeOf(sizes.slice(i + 1)));
  const numbers = reduceSum(mul(wrapped, graph.constant(tensor("int64", [depth], strides))), [1]);
  if (batches === 1) return numbers;
  const offsets = Array.from({ length: batches * perBatch }, (_, i) => Math.floor(i / perBatch) * sizeOf(sizes));
  return add(numbers, graph.constant(tensor("int64", [offsets.length], offsets)));
}
