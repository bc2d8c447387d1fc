import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { sumTo } from "../sum-to.js";

/** The sum of all operands, elementwise with NumPy broadcasting. */
export const sum = (...operands: readonly Operand[]): Value => emit(Sum, operands);

export const Sum = defineOperator({
  name: "Sum",
  broadcasts: true,
  inputs: ["...data_0"],
  outputs: ["sum"],
  infer: broadcastInputs,
  range: finite,
  // d Σ xᵢ = Σ dxᵢ
  gradient: ({ inputs, wanted }, [g]) => inputs.map((x, i) => (wanted[i] ? sumTo(g, x.shape) : undefined)),
});
