import type { Value } from "../../graph/graph.js";
import { defineOperator, string } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit } from "../emit.js";
import { gatherND, sumSlices } from "./gather-nd.js";
import { namesDistinct, type ScatterReduction, scatterGradient, scatterInFloat32, scatterReductions } from "./scatter.js";

/**
 * A copy of `x` with slices put, added, ... at the coordinates in the last axis of `indices`. With repeated coordinates use
 * `scatterElements` instead: ONNX Runtime 1.30 adds on several threads without locks and loses updates.
 */
export const scatterND = (x: Value, indices: Value, updates: Value, reduction: ScatterReduction = "none"): Value =>
  emit(ScatterND, [x, indices, updates], { reduction });

export const ScatterND = defineOperator({
  name: "ScatterND",
  inputs: ["data", "indices", "updates"],
  outputs: ["output"],
  attributes: { reduction: string("none", scatterReductions) },
  infer: ({ inputs: [x, indices, updates], fail }) => {
    const depth = indices.shape.at(-1) ?? fail("indices must have at least one axis");
    if (updates.type !== x.type) fail("data and updates must have one element type");
    if (depth > x.shape.length) fail(`${depth} coordinates do not fit the data`);
    const expected = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
    if (updates.shape.join() !== expected.join()) fail(`the updates must have the shape [${expected.join(", ")}]`);
    return [x];
  },
  range: finite,
  decompose: ({ inputs: [x, indices, updates], attributes: { reduction } }) =>
    scatterInFloat32(x, updates, reduction, (data, u) => scatterND(data, indices, u, reduction)),
  // see scatterGradient
  gradient: ({ inputs: [x, indices, updates], outputs: [output], attributes: { reduction }, wanted }, [g]) =>
    scatterGradient(
      {
        data: x,
        updates,
        output,
        reduction,
        wanted,
        distinct: distinctCoordinates(indices, x),
        gather: (data) => gatherND(data, indices),
        scatter: (data, u, r) => scatterND(data, indices, u, r),
        sum: (u) => sumSlices(x, indices, u),
      },
      g,
    ),
});

function distinctCoordinates(indices: Value, x: Value): boolean {
  const depth = indices.shape.at(-1)!;
  return namesDistinct(indices, (all) =>
    Array.from({ length: all.length / depth }, (_, row) =>
      Array.from({ length: depth }, (_, i) => (all[row * depth + i]! + x.shape[i]!) % x.shape[i]!).join(),
    ),
  );
}
