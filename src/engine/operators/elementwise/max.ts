import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { greater } from "../logic/greater.js";
import { extremumGradient } from "./extremum.js";

/** The largest of all operands, elementwise with NumPy broadcasting. */
export const max = (...operands: readonly Operand[]): Value => emit(Max, operands);

export const Max = defineOperator({
  name: "Max",
  broadcasts: true,
  inputs: ["...data_0"],
  outputs: ["max"],
  infer: broadcastInputs,
  range: ({ ranges }) => {
    if (!ranges.every((r) => r !== undefined)) return undefined;
    const bound = (of: "low" | "high") => Math.max(...ranges.map((r) => r[of]));
    return { low: bound("low"), high: bound("high") };
  },
  gradient: (context, [g]) => extremumGradient(context, g, greater),
});
