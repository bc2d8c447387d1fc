import { add } from "../../operators/elementwise/add.js";
import { mul } from "../../operators/elementwise/mul.js";
import type { Rewrite } from "../rewrite.js";
import { inOrder, madeBy } from "./match.js";

/** The gradient of `y = x σ(x)` sums two products, `g σ + (g x) (σ (1 - σ))`; with y at hand it is `g (σ + y (1 - σ))`. */
export const siluGradient: Rewrite = {
  name: "silu-gradient",
  providers: "all",
  measured: "forward + dX of a SiLU 5.7 -> 5.1 ms (gradient study, CPU, 2 threads)",
  apply: (node, inputs) => {
    if (node.operator.name !== "Add") return undefined;
    const slopeOf = (v: (typeof inputs)[number]) => {
      // σ (1 - σ) with σ = σ(x)
      const [s, rest] = madeBy(v, "Mul")?.inputs ?? [];
      return rest && madeBy(rest, "Sub")?.inputs[1] === s && madeBy(s, "Sigmoid")
        ? { s: s!, rest, x: s!.node!.inputs[0]! }
        : undefined;
    };
    const operands = inOrder(inputs, (v) => slopeOf(madeBy(v, "Mul")?.inputs[1]) !== undefined);
    const steep = madeBy(operands?.[0], "Mul");
    const slope = slopeOf(steep?.inputs[1]);
    const gx = slope && inOrder(madeBy(steep!.inputs[0], "Mul")?.inputs ?? [], (v) => v !== slope.x);
    const flat = gx && inOrder(madeBy(operands![1], "Mul")?.inputs ?? [], (v) => v === gx[0]);
    if (!slope || gx?.[1] !== slope.x || flat?.[1] !== slope.s) return undefined;
    return [mul(gx[0], add(slope.s, mul(mul(slope.x, slope.s), slope.rest)))];
  },
};
