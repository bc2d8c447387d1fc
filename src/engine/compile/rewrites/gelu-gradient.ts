import type { Value } from "../../graph/graph.js";
import { add } from "../../operators/elementwise/add.js";
import { div } from "../../operators/elementwise/div.js";
import { exp } from "../../operators/elementwise/exp.js";
import { mul } from "../../operators/elementwise/mul.js";
import type { Rewrite } from "../rewrite.js";
import { inOrder, madeBy, scalarOf } from "./match.js";

/**
 * The gradient of `x (1 + erf m)` with `m = c x` (GELU, whatever it is multiplied with afterwards), step by step
 * `g (1 + erf m) + g x · (k exp(-m²)) · c` with k = 2/√π, is `g (1 + erf m + k m / exp(m²))`: six passes over memory instead of nine.
 */
export const geluGradient: Rewrite = {
  name: "gelu-gradient",
  providers: "all",
  measured:
    "ViT-Ti forward + dX 137.5 -> 135.4 ms, within noise on ConvNeXt-T; six passes over memory instead of nine (bench/rewrites.ts, CPU, 1 thread)",
  apply: (node, inputs) => {
    if (node.operator.name !== "Add") return undefined;
    const operands = inOrder(inputs, (v) => chain(v) !== undefined);
    const steep = operands && chain(operands[0]);
    const flat = steep && inOrder(madeBy(operands[1], "Mul")?.inputs ?? [], (v) => v === steep.g);
    // 1 + erf m
    const shifted = flat && inOrder(madeBy(flat[1], "Add")?.inputs ?? [], (v) => scalarOf(v) === undefined);
    if (!shifted || scalarOf(shifted[1]) !== 1 || madeBy(shifted[0], "Erf")?.inputs[0] !== steep.m) return undefined;
    return [mul(steep.g, add(flat[1], mul(div(steep.m, exp(mul(steep.m, steep.m))), steep.k)))];
  },
};

/** `((g x) · (exp(-(m m)) k)) c` or the same divided by 1/c, with `m = c x`. */
function chain(v: Value): { readonly g: Value; readonly m: Value; readonly k: number } | undefined {
  const outer = madeBy(v, "Mul", "Div");
  const [gxe, c] = outer?.inputs ?? [];
  const [gx, bell] = madeBy(gxe, "Mul")?.inputs ?? [];
  const [e, factor] = madeBy(bell, "Mul")?.inputs ?? [];
  const k = scalarOf(factor);
  const square = madeBy(madeBy(madeBy(e, "Exp")?.inputs[0], "Neg")?.inputs[0], "Mul");
  const m = square?.inputs[0];
  const scaled = madeBy(m, outer?.operator.name ?? "");
  const [x, sameC] = scaled?.inputs ?? [];
  const product = inOrder(madeBy(gx, "Mul")?.inputs ?? [], (o) => o !== x);
  if (k === undefined || !m || square?.inputs[1] !== m || !product || product[1] !== x) return undefined;
  return scalarOf(c) !== undefined && c === sameC ? { g: product[0], m, k } : undefined;
}
