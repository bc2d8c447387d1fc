import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { constantNumbers, emitAll, intsConstant, normalizeAxis } from "../emit.js";
import { zerosLike } from "../zeros.js";
import { concat } from "./concat.js";

/** Cuts `x` along an axis into parts of the given sizes, which must add up to the axis. */
export const split = (x: Value, axis: number, sizes: readonly number[]): readonly Value[] =>
  sizes.length === 1 ? [x] : emitAll(Split, [x, intsConstant(x.graph, sizes)], { axis }, sizes.length);

export const Split = defineOperator({
  name: "Split",
  inputs: ["input", "split?"],
  outputs: ["...outputs"],
  attributes: { axis: int(0), num_outputs: int() },
  flops: "none",
  infer: ({ inputs: [x, split], attributes, outputCount, fail }) => {
    const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
    const size = x.shape[axis] ?? fail("a scalar cannot be split");
    const count = attributes.num_outputs ?? outputCount;
    if (count !== outputCount) fail(`it has ${outputCount} outputs, but num_outputs is ${count}`);
    // without sizes the parts are equal, and the last one is smaller where the axis does not divide
    const part = Math.ceil(size / count);
    const sizes = split
      ? constantNumbers(split, "split", fail)
      : Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, size - i * part)));
    if (sizes.some((s) => s < 0) || sizes.reduce((a, b) => a + b, 0) !== size)
      fail(`its parts [${sizes.join(", ")}] do not add up to axis ${axis}`);
    return sizes.map((s) => ({ type: x.type, shape: x.shape.map((d, i) => (i === axis ? s : d)) }));
  },
  range: ofFirst,
  // the parts' cotangents joined again
  gradient: ({ inputs: [x], outputs, attributes, fail }, cotangents) => [
    concat(
      outputs.map((y, i) => cotangents[i] ?? zerosLike(y)),
      normalizeAxis(attributes.axis, x.shape.length, fail),
    ),
  ],
});
