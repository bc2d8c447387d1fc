import { GraphError, type Value } from "../../graph/graph.js";
import { defineOperator, int, required } from "../../graph/operator.js";
import { ofAll } from "../../graph/range.js";
import { joined } from "../../graph/whole-numbers.js";
import { emit, normalizeAxis } from "../emit.js";
import { slice } from "./slice.js";
import { split } from "./split.js";

/** Joins values along an axis; all other axes must agree. A single value is returned as it is. */
export const concat = (values: readonly Value[], axis: number): Value => {
  if (values.length === 0) throw new GraphError("Concat: at least one value is needed.");
  return values.length === 1 ? values[0]! : emit(Concat, values, { axis });
};

export const Concat = defineOperator({
  name: "Concat",
  inputs: ["...inputs"],
  outputs: ["concat_result"],
  attributes: { axis: required(int()) },
  flops: "none",
  infer: ({ inputs, attributes, fail }) => {
    const first = inputs[0] ?? fail("it needs at least one input");
    const axis = normalizeAxis(attributes.axis, first.shape.length, fail);
    for (const v of inputs) {
      if (v.type !== first.type) fail("all inputs must have one element type");
      if (v.shape.length !== first.shape.length || !v.shape.every((d, i) => i === axis || d === first.shape[i]))
        fail(`all axes but axis ${axis} must agree`);
    }
    const size = inputs.reduce((sum, v) => sum + v.shape[axis]!, 0);
    return [{ type: first.type, shape: first.shape.map((d, i) => (i === axis ? size : d)) }];
  },
  wholeNumbers: joined,
  range: ofAll(),
  // each input gets its part of the cotangent: one Split, or a Slice where a single input asks
  gradient: ({ inputs, attributes, wanted, fail }, [g]) => {
    const axis = normalizeAxis(attributes.axis, g!.shape.length, fail);
    const sizes = inputs.map((v) => v.shape[axis]!);
    if (wanted.filter(Boolean).length > 1) return split(g!, axis, sizes);
    let start = 0;
    return inputs.map((_, i) => {
      const from = start;
      start += sizes[i]!;
      return wanted[i] ? slice(g!, [from], [start], { axes: [axis] }) : undefined;
    });
  },
});
