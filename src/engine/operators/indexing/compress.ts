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
    const { axis, places } = kept(x, condition, attributes.axis, fail);
    const count = places.length;
    if (axis === undefined) return [{ type: x.type, shape: [count] }];
    return [{ type: x.type, shape: x.shape.map((d, i) => (i === axis ? count : d)) }];
  },
  range: ofFirst,
  // a Gather at the positions of the true entries, of the flattened input where no axis is given
  gradient: ({ inputs: [x, condition], attributes, fail }, [g]) => {
    const { axis, places } = kept(x, condition, attributes.axis, fail);
    const at = intsConstant(g.graph, places);
    if (axis !== undefined) return [addAt(x, axis, at, g)];
    return [reshape(addAt(reshape(x, [sizeOf(x.shape)]), 0, at, g), x.shape)];
  },
});

/** The axis (undefined for the flattened input) and the entries along it that are kept. A condition may be shorter; what it says beyond the axis is not read. */
function kept(x: Value, condition: Value, given: number | undefined, fail: Fail): { axis: number | undefined; places: number[] } {
  if (!condition.constant)
    fail("how many entries its condition keeps is known at run time only, so its output has no fixed shape", "data");
  const axis = given === undefined ? undefined : normalizeAxis(given, x.shape.length, fail);
  const length = axis === undefined ? sizeOf(x.shape) : x.shape[axis]!;
  const places = toNumbers(condition.constant!).flatMap((v, i) => (v && i < length ? [i] : []));
  return { axis, places };
}
