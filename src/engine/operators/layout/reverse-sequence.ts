import type { Value } from "../../graph/graph.js";
import { defineOperator, int, type Operator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { emit, normalizeAxis } from "../emit.js";

/** Reverses the first `lengths[b]` steps along the time axis of each batch entry `b`. */
export const reverseSequence = (x: Value, lengths: Value, axes: { readonly batch: number; readonly time: number }): Value =>
  emit(ReverseSequence, [x, lengths], { batch_axis: axes.batch, time_axis: axes.time });

export const ReverseSequence: Operator = defineOperator({
  name: "ReverseSequence",
  inputs: ["input", "sequence_lens"],
  attributes: { batch_axis: int(1), time_axis: int(0) },
  flops: "none",
  infer: ({ inputs: [x, lengths], attributes, fail }) => {
    const batch = normalizeAxis(attributes.batch_axis, x.shape.length, fail);
    const time = normalizeAxis(attributes.time_axis, x.shape.length, fail);
    if (batch === time || batch > 1 || time > 1) fail("batch_axis and time_axis must be 0 and 1 in some order");
    if (lengths.shape.length !== 1 || lengths.shape[0] !== x.shape[batch]) fail("one length for each batch entry is needed");
    return [x];
  },
  range: ofFirst,
  // a reversal is its own inverse
  gradient: ({ inputs: [, lengths], attributes }, [g]) => [emit(ReverseSequence, [g, lengths], attributes)],
});
