import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { emit, normalizeAxis } from "../emit.js";
import { zerosLike } from "../zeros.js";
import { scatterElements } from "./scatter-elements.js";

/** `y[.., i, ..] = x[.., indices[.., i, ..], ..]` along an axis; the result has the shape of `indices`. */
export const gatherElements = (x: Value, indices: Value, axis = 0): Value => emit(GatherElements, [x, indices], { axis });

export const GatherElements = defineOperator({
  name: "GatherElements",
  inputs: ["data", "indices"],
  outputs: ["output"],
  attributes: { axis: int(0) },
  flops: "none",
  infer: ({ inputs: [x, indices], attributes, fail }) => {
    const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
    if (indices.shape.length !== x.shape.length || !indices.shape.every((d, i) => i === axis || d <= x.shape[i]!))
      fail("indices must have the rank of the data and fit inside it on all other axes");
    return [{ type: x.type, shape: indices.shape }];
  },
  range: ofFirst,
  // each element sums the cotangents of its copies
  gradient: ({ inputs: [x, indices], attributes: { axis } }, [g]) => [scatterElements(zerosLike(x), indices, g, axis, "add")],
});
