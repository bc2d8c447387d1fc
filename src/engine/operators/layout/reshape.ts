import type { Value } from "../../graph/graph.js";
import { defineOperator, flag } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { moved } from "../../graph/whole-numbers.js";
import { type Shape, sameShape, sizeOf } from "../../tensor/tensor.js";
import { constantNumbers, emit, idleWhereSame, intsConstant } from "../emit.js";

/** The same elements in the same order under another shape. One entry may be -1 (what remains). Returns `x` where nothing changes. */
export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : emit(Reshape, [x, intsConstant(x.graph, shape)], shape.includes(0) ? { allowzero: 1 } : {});

export const Reshape = defineOperator({
  name: "Reshape",
  inputs: ["data", "shape"],
  outputs: ["reshaped"],
  attributes: { allowzero: flag(0) },
  flops: "none",
  infer: ({ inputs: [x, target], attributes, fail }) => {
    const wanted = constantNumbers(target, "shape", fail);
    const shape = wanted.map((d, i) =>
      d === 0 && !attributes.allowzero ? (x.shape[i] ?? fail(`entry ${i} of its shape copies an axis that the input lacks`)) : d,
    );
    const open = shape.indexOf(-1);
    if (open >= 0) {
      const rest = shape.reduce((p, d, i) => (i === open ? p : p * d), 1);
      shape[open] = rest === 0 ? 0 : sizeOf(x.shape) / rest;
    }
    if (!shape.every((d) => Number.isInteger(d) && d >= 0) || sizeOf(shape) !== sizeOf(x.shape))
      fail(`the input cannot take the shape [${wanted.join(", ")}]`);
    return [{ type: x.type, shape }];
  },
  wholeNumbers: moved,
  range: ofFirst,
  simplify: idleWhereSame,
  // the elements stay in order, so the cotangent only takes back the shape
  gradient: ({ inputs: [x] }, [g]) => [reshape(g, x.shape)],
});
