import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { moved } from "../../graph/whole-numbers.js";
import { constantNumbers, emit, idleWhereSame, intsConstant, normalizeAxis } from "../emit.js";
import { reshape } from "./reshape.js";

/** Inserts axes of size 1 at the given places of the result. */
export const unsqueeze = (x: Value, axes: readonly number[]): Value => emit(Unsqueeze, [x, intsConstant(x.graph, axes)]);

export const Unsqueeze = defineOperator({
  name: "Unsqueeze",
  inputs: ["data", "axes"],
  outputs: ["expanded"],
  flops: "none",
  infer: ({ inputs: [x, axesInput], fail }) => {
    const axes = constantNumbers(axesInput, "axes", fail);
    const rank = x.shape.length + axes.length;
    const inserted = new Set(axes.map((a) => normalizeAxis(a, rank, fail)));
    if (inserted.size !== axes.length) fail(`its axes [${axes.join(", ")}] repeat`);
    const rest = [...x.shape];
    return [{ type: x.type, shape: Array.from({ length: rank }, (_, i) => (inserted.has(i) ? 1 : rest.shift()!)) }];
  },
  wholeNumbers: moved,
  range: ofFirst,
  simplify: idleWhereSame,
  // the elements stay in order
  gradient: ({ inputs: [x] }, [g]) => [reshape(g, x.shape)],
});
