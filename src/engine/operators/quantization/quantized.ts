import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { cast } from "../elementwise/cast.js";
import { emit } from "../emit.js";

/**
 * The integers `stored`, which stand for the numbers `real` rounded: their cotangent goes to `real` (straight-through). For quantization
 * that is written out because opset 18 has no QuantizeLinear for it.
 */
export const quantized = (stored: Value, real: Value): Value => emit(Quantized, [stored, real]);

/** A marker for the reverse sweep, as `WithGradient`: `build` writes its first input in its place. */
export const Quantized = defineOperator({
  name: "Quantized",
  domain: "faultline",
  inputs: ["stored", "real"],
  integers: { Y: "numbers" },
  infer: ({ inputs: [stored] }) => [stored],
  gradient: ({ inputs: [, real], options }, [g]) => [undefined, options.rounding === "zero" ? undefined : cast(g, real.type)],
});
