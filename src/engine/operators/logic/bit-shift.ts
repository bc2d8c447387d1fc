import type { Value } from "../../graph/graph.js";
import { defineOperator, required, string, zeroGradient } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";

/** Shifts the bits of unsigned whole numbers `x` by `y` places, with NumPy broadcasting. */
export const bitShift = (x: Operand, y: Operand, direction: "LEFT" | "RIGHT"): Value => emit(BitShift, [x, y], { direction });

export const BitShift = defineOperator({
  name: "BitShift",
  inputs: ["X", "Y"],
  outputs: ["Z"],
  attributes: { direction: required(string("LEFT", ["LEFT", "RIGHT"])) },
  infer: (context) => {
    const { direction } = context.attributes;
    if (direction !== "LEFT" && direction !== "RIGHT") context.fail(`direction is "LEFT" or "RIGHT", not "${direction}"`);
    return broadcastInputs(context);
  },
  gradient: zeroGradient("whole numbers have no gradient"),
});
