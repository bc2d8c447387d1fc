import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { cast } from "../elementwise/cast.js";
import { div } from "../elementwise/div.js";
import { emitAll } from "../emit.js";

/** Quantizes `x` to uint8 over the range of values it happens to have (always with 0). */
export function dynamicQuantizeLinear(x: Value): { readonly y: Value; readonly scale: Value; readonly zeroPoint: Value } {
  const [y, scale, zeroPoint] = emitAll(DynamicQuantizeLinear, [x], {}, 3);
  return { y: y!, scale: scale!, zeroPoint: zeroPoint! };
}

export const DynamicQuantizeLinear = defineOperator({
  name: "DynamicQuantizeLinear",
  inputs: ["x"],
  outputs: ["y", "y_scale", "y_zero_point"],
  integers: { y: "numbers" },
  mixesSamples: true,
  infer: ({ inputs: [x], fail }) => {
    if (x.type !== "float32") fail("its input must be float32");
    return [
      { type: "uint8", shape: x.shape },
      { type: "float32", shape: [] },
      { type: "uint8", shape: [] },
    ];
  },
  // Straight-through: y_scale (y - y_zero_point) stands for x whatever the range, so dx = g / y_scale, and the scale's own dependence on x
  // cancels out. Nothing saturates, for the range is that of x.
  gradient: ({ outputs: [, scale], options }, [g]) => [
    g && options.rounding !== "zero" ? div(cast(g, scale.type), scale) : undefined,
  ],
});
