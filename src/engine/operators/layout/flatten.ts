import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { moved } from "../../graph/whole-numbers.js";
import { sizeOf } from "../../tensor/tensor.js";
import { emit, idleWhereSame } from "../emit.js";
import { reshape } from "./reshape.js";

/** A matrix: the axes before `axis` become its rows, the rest its columns. */
export const flatten = (x: Value, axis = 1): Value => emit(Flatten, [x], { axis });

export const Flatten = defineOperator({
  name: "Flatten",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { axis: int(1) },
  flops: "none",
  infer: ({ inputs: [x], attributes, fail }) => {
    const rank = x.shape.length;
    const axis = attributes.axis < 0 ? attributes.axis + rank : attributes.axis;
    if (axis < 0 || axis > rank) fail(`axis ${attributes.axis} is outside a tensor of rank ${rank}`);
    return [{ type: x.type, shape: [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))] }];
  },
  wholeNumbers: moved,
  range: ofFirst,
  simplify: idleWhereSame,
  // the elements stay in order
  gradient: ({ inputs: [x] }, [g]) => [reshape(g, x.shape)],
});
