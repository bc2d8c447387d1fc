import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { constantNumbers, emit, idleWhereSame, intsConstant } from "../emit.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { zerosLike } from "../zeros.js";
import { reshape } from "./reshape.js";

/** Repeats the whole of `x` along each axis, `repeats` times. */
export const tile = (x: Value, repeats: readonly number[]): Value =>
  repeats.every((r) => r === 1) ? x : emit(Tile, [x, intsConstant(x.graph, repeats)]);

export const Tile = defineOperator({
  name: "Tile",
  inputs: ["input", "repeats"],
  outputs: ["output"],
  flops: "none",
  infer: ({ inputs: [x, repeatsInput], fail }) => {
    const repeats = constantNumbers(repeatsInput, "repeats", fail);
    if (repeats.length !== x.shape.length || repeats.some((r) => r < 0))
      fail(`its repeats [${repeats.join(", ")}] must be one whole number of at least 0 for each axis`);
    return [{ type: x.type, shape: x.shape.map((d, i) => d * repeats[i]!) }];
  },
  range: ofFirst,
  simplify: idleWhereSame,
  // each axis is split into (repeat, position), and the repeats are summed
  gradient: ({ inputs: [x, repeatsInput], fail }, [g]) => {
    const repeats = constantNumbers(repeatsInput, "repeats", fail);
    if (g.shape.includes(0)) return [zerosLike(x)];
    const shape: number[] = [];
    const axes: number[] = [];
    x.shape.forEach((d, i) => {
      if (repeats[i]! > 1) axes.push(shape.push(repeats[i]!) - 1);
      shape.push(d);
    });
    return [reshape(axes.length > 0 ? reduceSum(reshape(g, shape), axes) : g, x.shape)];
  },
});
