import type { Value } from "../../graph/graph.js";
import { defineOperator, flag } from "../../graph/operator.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { reshape } from "../layout/reshape.js";
import { transpose } from "../layout/transpose.js";
import { lstmParts } from "../recurrent/lstm.js";
import { recurrentAttributes } from "../recurrent/recurrence.js";
import { gradientThroughParts } from "../through-parts.js";
import { dequantizeLinear } from "./dequantize-linear.js";
import { dynamicQuantizeLinear } from "./dynamic-quantize-linear.js";

/**
 * An LSTM whose weights are whole numbers and whose inputs and states are quantized as they come, as `quantize_dynamic` writes it. W is `[D, I, 4·H]`
 * and R `[D, H, 4·H]`, the other way round than those of LSTM; scales and zero points are one number for each direction, or one for each column.
 */
export const DynamicQuantizeLSTM = defineOperator({
  name: "DynamicQuantizeLSTM",
  domain: "com.microsoft",
  inputs: [
    "X",
    "W",
    "R",
    "B?",
    "sequence_lens?",
    "initial_h?",
    "initial_c?",
    "P?",
    "W_scale",
    "W_zero_point",
    "R_scale",
    "R_zero_point",
  ],
  outputs: ["Y?", "Y_h?", "Y_c?"],
  mixesSamples: true,
  attributes: { ...recurrentAttributes, input_forget: flag(0) },
  infer: ({ inputs: [x, w, r], attributes, fail }) => {
    const directions = attributes.direction === "bidirectional" ? 2 : 1;
    const [steps, batch, width] = x.shape as [number, number, number];
    const hidden = r.shape[1] ?? 0;
    const fits = (v: Value, rows: number) => v.shape.join() === [directions, rows, 4 * hidden].join();
    if (x.shape.length !== 3 || !fits(w, width) || !fits(r, hidden))
      fail("X must be [steps, batch, input], W [directions, input, 4 · hidden] and R [directions, hidden, 4 · hidden]");
    if (attributes.layout !== 0) fail("ONNX Runtime runs it with steps first only (layout 0)");
    const last = { type: x.type, shape: [directions, batch, hidden] };
    return [{ type: x.type, shape: [steps, directions, batch, hidden] }, last, last];
  },
  // that of the LSTM of the numbers that the integers stand for, straight through the rounding of inputs and states
  gradient: (context, cotangents) => gradientThroughParts(context, cotangents, dynamicQuantizeLstmParts),
});

/** What the node computes, in operators that have gradients. */
export function dynamicQuantizeLstmParts(parts: {
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Parameters<typeof lstmParts>[0]["attributes"];
  readonly fail: (message: string) => never;
}): Value[] {
  const [x, w, r, ...rest] = parts.inputs as [Value, Value, Value, ...(Value | undefined)[]];
  const [bias, lengths, hidden, cell, peepholes] = rest;
  const [wScale, wZero, rScale, rZero] = rest.slice(5) as [Value, Value, Value, Value];
  const inputs = [
    rounded(x),
    numbers(w, wScale, wZero),
    numbers(r, rScale, rZero),
    bias,
    lengths,
    hidden,
    cell,
    peepholes,
  ] as const;
  return lstmParts({ ...parts, inputs }, rounded);
}

/** To a byte over the range of all elements, and back. */
function rounded(x: Value): Value {
  const { y, scale, zeroPoint } = dynamicQuantizeLinear(x);
  return dequantizeLinear(y, scale, zeroPoint);
}

/** `[D, K, 4·H]` integers as the `[D, 4·H, K]` numbers that LSTM takes. */
function numbers(v: Value, scale: Value, zero: Value): Value {
  const across = (p: Value) => reshape(p, [v.shape[0]!, 1, -1]);
  return transpose(mul(sub(cast(v, scale.type), cast(across(zero), scale.type)), across(scale)), [0, 2, 1]);
}
