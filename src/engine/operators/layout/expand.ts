import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { type Shape, sameShape } from "../../tensor/tensor.js";
import { broadcastShapes, constantNumbers, emit, idleWhereSame, intsConstant } from "../emit.js";
import { sumTo } from "../sum-to.js";

/** Repeats `x` along axes of size 1 until it has the given shape (NumPy broadcasting). Returns `x` where nothing changes. */
export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : emit(Expand, [x, intsConstant(x.graph, shape)]);

export const Expand = defineOperator({
  name: "Expand",
  inputs: ["input", "shape"],
  outputs: ["output"],
  flops: "none",
  infer: ({ inputs: [x, shape], fail }) => [
    { type: x.type, shape: broadcastShapes([x.shape, constantNumbers(shape, "shape", fail)], fail) },
  ],
  range: ofFirst,
  simplify: idleWhereSame,
  // repeating is dual to summing
  gradient: ({ inputs: [x] }, [g]) => [sumTo(g, x.shape)],
});
