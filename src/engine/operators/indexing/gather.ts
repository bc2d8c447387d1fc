import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { numberAt, sizeOf } from "../../tensor/tensor.js";
import { emit, normalizeAxis } from "../emit.js";
import { expand } from "../layout/expand.js";
import { pad } from "../layout/pad.js";
import { reshape } from "../layout/reshape.js";
import { zerosLike } from "../zeros.js";
import { scatterElements } from "./scatter-elements.js";

/** Takes the entries of `x` at `indices` along an axis; the axis is replaced by the axes of `indices`. Negative indices count from the end. */
export const gather = (x: Value, indices: Value, axis = 0): Value => emit(Gather, [x, indices], { axis });

export const Gather = defineOperator({
  name: "Gather",
  inputs: ["data", "indices"],
  outputs: ["output"],
  attributes: { axis: int(0) },
  flops: "none",
  infer: ({ inputs: [x, indices], attributes, fail }) => {
    const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
    if (x.shape.length === 0) fail("a scalar has no entries to gather");
    return [{ type: x.type, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] }];
  },
  range: ofFirst,
  // each entry sums the cotangents of its copies; a single constant index only pads
  gradient: ({ inputs: [x, indices], attributes, fail }, [g]) => {
    const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
    const size = x.shape[axis]!;
    const count = sizeOf(indices.shape);
    const rows = reshape(
      g,
      x.shape.map((d, i) => (i === axis ? count : d)),
    );
    const single = count === 1 && indices.constant ? numberAt(indices.constant, 0) : undefined;
    if (single !== undefined) {
      const before = x.shape.map((_, i) => (i === axis ? (single + size) % size : 0));
      return [pad(rows, [...before, ...before.map((b, i) => (i === axis ? size - 1 - b : 0))])];
    }
    return [addAt(x, axis, indices, rows)];
  },
});

/**
 * Zeros of the shape of `x` with `rows[.., i, ..]` added at position `indices[i]` of the axis, repeated indices included. ScatterElements
 * does it, because ONNX Runtime 1.30 runs ScatterND with reduction "add" on several threads without locks and loses repeated updates.
 */
export function addAt(x: Value, axis: number, indices: Value, rows: Value): Value {
  const along = reshape(
    indices,
    rows.shape.map((d, i) => (i === axis ? d : 1)),
  );
  return scatterElements(zerosLike(x), expand(along, rows.shape), rows, axis, "add");
}
