import type { Value } from "../../graph/graph.js";
import { nodeAs } from "../../graph/operator.js";
import { Sigmoid } from "../../operators/activation/sigmoid.js";
import { Add, add } from "../../operators/elementwise/add.js";
import { Mul, mul } from "../../operators/elementwise/mul.js";
import { Sub } from "../../operators/elementwise/sub.js";
import type { Rewrite } from "../rewrite.js";
import { inOrder } from "./match.js";

/** The gradient of `y = x σ(x)` sums two products, `g σ + (g x) (σ (1 - σ))`; with y at hand it is `g (σ + y (1 - σ))`. */
export const siluGradient: Rewrite = {
  name: "silu-gradient",
  scope: "gradient",
  keeps: "rounding",
  providers: "all",
  measured: "forward + dX of a SiLU 5.7 -> 5.1 ms (gradient study, CPU, 2 threads)",
  apply: (node) => {
    const operands = inOrder(nodeAs(Add, node)?.inputs ?? [], (v) => slopeOf(nodeAs(Mul, v)?.inputs[1]) !== undefined);
    const steep = nodeAs(Mul, operands?.[0]);
    const slope = slopeOf(steep?.inputs[1]);
    const gx = slope && inOrder(nodeAs(Mul, steep!.inputs[0])?.inputs ?? [], (v) => v !== slope.x);
    const flat = gx && inOrder(nodeAs(Mul, operands![1])?.inputs ?? [], (v) => v === gx[0]);
    if (!slope || gx?.[1] !== slope.x || flat?.[1] !== slope.s) return undefined;
    return [mul(gx[0], add(slope.s, mul(mul(slope.x, slope.s), slope.rest)))];
  },
};

/** Reads `σ (1 - σ)` with `σ = σ(x)`. */
function slopeOf(v: Value | undefined): { readonly s: Value; readonly rest: Value; readonly x: Value } | undefined {
  const [s, rest] = nodeAs(Mul, v)?.inputs ?? [];
  const x = nodeAs(Sigmoid, s)?.inputs[0];
  return s && x && rest && nodeAs(Sub, rest)?.inputs[1] === s ? { s, rest, x } : undefined;
}
