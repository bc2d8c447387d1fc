import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";

/** `max(x, 0)` */
export const relu = (x: Value): Value => emit(Relu, [x]);

export const Relu = defineOperator({
  name: "Relu",
  inputs: ["X"],
  infer: sameAsInput,
  // max(x, 0) is above whatever x is above
  range: ({ ranges: [x] }) => x && { ...x, below: [], low: Math.max(x.low, 0), high: Math.max(x.high, 0) },
  // d max(x, 0)/dx = [y > 0]; 0 at x = 0, as PyTorch
  gradient: ({ outputs: [y] }, [g]) => [where(greater(y, 0), g, 0)],
});
