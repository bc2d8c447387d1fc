import type { Value } from "../../graph/graph.js";
import { defineOperator, type Fail, int } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { sizeOf, toNumbers } from "../../tensor/tensor.js";
import { intsConstant, normalizeAxis } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { addAt } from "./gather.js";

export const Compress = defineOperator({
  name: "Compress",
  inputs: ["input", "condition"],
  outputs: ["output"],
  attributes: { axis: int() },
  flops: "none",
  infer: ({ inputs: [x, condition], attributes, fail }) => {
    const count = kept(condition, fail).length;
    if (attributes.axis === undefined) return [{ type: x.type, shape: [count] }];
    const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
    return [{ type: x.type, shape: x.shape.map((d, i) => (i === axis ? count : d)) }];
  },
  range: ofFirst,
  // a Gather at the positions of the true entries, of the flattened input where no axis is given
  gradient: ({ inputs: [x, condition], attributes, fail }, [g]) => {
    const places = intsConstant(g.graph, kept(condition, fail));
    if (attributes.axis !== undefined) return [addAt(x, normalizeAxis(attributes.axis, x.shape.length, fail), places, g)];
    return [reshape(addAt(reshape(x, [sizeOf(x.shape)]), 0, places, g), x.shape)];
  },
});

function kept(condition: Value, fail: Fail): number[] {
  if (!condition.constant)
    fail("how many entries its condition keeps is known at run time only, so its output has no fixed shape", "data");
  return toNumbers(condition.constant!).flatMap((v, i) => (v ? [i] : []));
}
