import { defineOperator, notDifferentiable } from "../../graph/operator.js";
import { constantNumbers } from "../emit.js";

export const Range = defineOperator({
  name: "Range",
  inputs: ["start", "limit", "delta"],
  outputs: ["output"],
  infer: ({ inputs: [start, limit, delta], fail }) => {
    const [a, b, d] = [start, limit, delta].map((v, i) => constantNumbers(v, ["start", "limit", "delta"][i]!, fail)[0]!);
    if (d === 0) fail("its delta must not be 0");
    return [{ type: start.type, shape: [Math.max(0, Math.ceil((b! - a!) / d!))] }];
  },
  gradient: notDifferentiable("the number of its elements depends on its operands"),
});
