import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofAll } from "../../graph/range.js";
import { broadcastShapes, emitAll, type Operand, scalar } from "../emit.js";
import { sumTo } from "../sum-to.js";

/** `condition ? a : b`, elementwise with NumPy broadcasting; `condition` is bool. Two numbers give float32. */
export const where = (condition: Value, a: Operand, b: Operand): Value => {
  const type = typeof a !== "number" ? a.type : typeof b !== "number" ? b.type : "float32";
  const lift = (v: Operand) => (typeof v === "number" ? scalar(condition.graph, v, type) : v);
  return emitAll(Where, [condition, lift(a), lift(b)], {}, 1)[0]!;
};

export const Where = defineOperator({
  name: "Where",
  broadcasts: true,
  inputs: ["condition", "X", "Y"],
  outputs: ["output"],
  infer: ({ inputs: [condition, x, y], fail }) => {
    if (condition.type !== "bool") fail("its condition must be bool");
    if (x.type !== y.type) fail("X and Y must have one element type");
    return [{ type: x.type, shape: broadcastShapes([condition.shape, x.shape, y.shape], fail) }];
  },
  range: ofAll(),
  // d where(c, x, y) = where(c, dx, 0) + where(c, 0, dy)
  gradient: ({ inputs: [condition, x, y], wanted }, [g]) => [
    undefined,
    wanted[1] ? sumTo(where(condition, g, 0), x.shape) : undefined,
    wanted[2] ? sumTo(where(condition, 0, g), y.shape) : undefined,
  ],
});
