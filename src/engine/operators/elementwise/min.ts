import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { less } from "../logic/less.js";
import { extremumGradient } from "./extremum.js";

/** The smallest of all operands, elementwise with NumPy broadcasting. */
export const min = (...operands: readonly Operand[]): Value => emit(Min, operands);

export const Min = defineOperator({
  name: "Min",
  broadcasts: true,
  inputs: ["...data_0"],
  outputs: ["min"],
  infer: broadcastInputs,
  range: ({ ranges }) => ranges.reduce((a, b) => a && b && { low: Math.min(a.low, b.low), high: Math.min(a.high, b.high) }),
  gradient: (context, [g]) => extremumGradient(context, g, less),
});
