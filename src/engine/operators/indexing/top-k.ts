import type { Value } from "../../graph/graph.js";
import { defineOperator, flag, int, type Operator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { constantNumbers, emitAll, intsConstant, normalizeAxis } from "../emit.js";
import { zerosLike } from "../zeros.js";
import { scatterElements } from "./scatter-elements.js";

/** The `k` largest (or smallest) entries along an axis in order, and their int64 indices. */
export const topK = (
  x: Value,
  k: number,
  axis = -1,
  which: "largest" | "smallest" = "largest",
): readonly [values: Value, indices: Value] => {
  const [values, indices] = emitAll(TopK, [x, intsConstant(x.graph, [k])], { axis, largest: which === "largest" ? 1 : 0 }, 2);
  return [values!, indices!];
};

export const TopK: Operator = defineOperator({
  name: "TopK",
  inputs: ["X", "K"],
  outputs: ["Values", "Indices"],
  integers: { Indices: "positions" },
  attributes: { axis: int(-1), largest: flag(1), sorted: flag(1) },
  infer: ({ inputs: [x, kInput], attributes, fail }) => {
    const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
    const k = constantNumbers(kInput, "K", fail)[0]!;
    if (x.shape.length === 0 || k < 0 || k > x.shape[axis]!) fail(`it cannot take ${k} entries along axis ${axis}`);
    const shape = x.shape.map((d, i) => (i === axis ? k : d));
    return [
      { type: x.type, shape },
      { type: "int64", shape },
    ];
  },
  range: ofFirst,
  // each value's cotangent goes back to its place; the indices are piecewise constant
  gradient: ({ inputs: [x, k], outputs: [, indices], attributes }, [g]) => {
    if (!g) return [];
    const places = indices ?? emitAll(TopK, [x, k], attributes, 2)[1]!;
    return [scatterElements(zerosLike(x), places, g, attributes.axis)];
  },
});
