import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { moved } from "../../graph/whole-numbers.js";
import { constantNumbers, emit, idleWhereSame, intsConstant, normalizeAxis } from "../emit.js";
import { reshape } from "./reshape.js";

/** Drops axes of size 1: the given ones, or all. */
export const squeeze = (x: Value, axes?: readonly number[]): Value => emit(Squeeze, [x, axes && intsConstant(x.graph, axes)]);

export const Squeeze = defineOperator({
  name: "Squeeze",
  inputs: ["data", "axes?"],
  outputs: ["squeezed"],
  flops: "none",
  infer: ({ inputs: [x, axes], fail }) => {
    const dropped = new Set(
      axes
        ? constantNumbers(axes, "axes", fail).map((a) => normalizeAxis(a, x.shape.length, fail))
        : x.shape.flatMap((d, i) => (d === 1 ? [i] : [])),
    );
    for (const axis of dropped) if (x.shape[axis] !== 1) fail(`axis ${axis} has size ${x.shape[axis]}, not 1`);
    return [{ type: x.type, shape: x.shape.filter((_, i) => !dropped.has(i)) }];
  },
  wholeNumbers: moved,
  range: ofFirst,
  simplify: idleWhereSame,
  // the elements stay in order
  gradient: ({ inputs: [x] }, [g]) => [reshape(g, x.shape)],
});
