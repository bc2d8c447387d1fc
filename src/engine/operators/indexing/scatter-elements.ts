import type { Value } from "../../graph/graph.js";
import { defineOperator, int, string } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { sizeOf } from "../../tensor/tensor.js";
import { emit, normalizeAxis } from "../emit.js";
import { zerosLike } from "../zeros.js";
import { gatherElements } from "./gather-elements.js";
import { namesDistinct, type ScatterReduction, scatterGradient, scatterInFloat32, scatterReductions } from "./scatter.js";

/** A copy of `x` with `updates[.., i, ..]` put, added, ... at `[.., indices[.., i, ..], ..]` along an axis. */
export const scatterElements = (
  x: Value,
  indices: Value,
  updates: Value,
  axis = 0,
  reduction: ScatterReduction = "none",
): Value => emit(ScatterElements, [x, indices, updates], { axis, reduction });

export const ScatterElements = defineOperator({
  name: "ScatterElements",
  inputs: ["data", "indices", "updates"],
  outputs: ["output"],
  attributes: { axis: int(0), reduction: string("none", scatterReductions) },
  infer: ({ inputs: [x, indices, updates], attributes, fail }) => {
    normalizeAxis(attributes.axis, x.shape.length, fail);
    if (updates.type !== x.type) fail("data and updates must have one element type");
    if (indices.shape.length !== x.shape.length || indices.shape.join() !== updates.shape.join())
      fail("indices and updates must have one shape, of the rank of the data");
    return [x];
  },
  range: finite,
  decompose: ({ inputs: [x, indices, updates], attributes: { axis, reduction } }) =>
    scatterInFloat32(x, updates, reduction, (data, u) => scatterElements(data, indices, u, axis, reduction)),
  // see scatterGradient
  gradient: ({ inputs: [x, indices, updates], outputs: [output], attributes: { axis, reduction }, wanted }, [g]) =>
    scatterGradient(
      {
        data: x,
        updates,
        output,
        reduction,
        wanted,
        distinct: distinctAlong(indices, x, axis),
        gather: (data) => gatherElements(data, indices, axis),
        scatter: (data, u, r) => scatterElements(data, indices, u, axis, r),
        sum: (u) => scatterElements(zerosLike(x), indices, u, axis, "add"),
      },
      g,
    ),
});

function distinctAlong(indices: Value, x: Value, axis: number): boolean {
  const along = axis < 0 ? axis + x.shape.length : axis;
  const size = x.shape[along]!;
  const inner = sizeOf(indices.shape.slice(along + 1));
  const block = inner * indices.shape[along]!;
  return namesDistinct(indices, (all) => all.map((p, i) => `${Math.floor(i / block)},${(p + size) % size},${i % inner}`));
}
