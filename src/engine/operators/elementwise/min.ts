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
  range: ({ inputs, ranges }) => {
    if (!ranges.every((r) => r !== undefined)) return undefined;
    const bound = (of: "low" | "high") => Math.min(...ranges.map((r) => r[of]));
    return { low: bound("low"), high: bound("high"), below: inputs };
  },
  gradient: (context, [g]) => extremumGradient(context, g, less),
});
