import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofAll } from "../../graph/range.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { sumTo } from "../sum-to.js";
import { mul } from "./mul.js";

/** The mean of all operands, elementwise with NumPy broadcasting. */
export const mean = (...operands: readonly Operand[]): Value => emit(Mean, operands);

export const Mean = defineOperator({
  name: "Mean",
  broadcasts: true,
  inputs: ["...data_0"],
  outputs: ["mean"],
  infer: broadcastInputs,
  range: ofAll(),
  // d (1/n) Σ xᵢ = (1/n) Σ dxᵢ
  gradient: ({ inputs, wanted }, [g]) => {
    const share = mul(g, 1 / inputs.length);
    return inputs.map((x, i) => (wanted[i] ? sumTo(share, x.shape) : undefined));
  },
});
