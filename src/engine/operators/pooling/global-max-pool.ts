import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { sizeOf } from "../../tensor/tensor.js";
import { emit } from "../emit.js";
import { scatterElements } from "../indexing/scatter-elements.js";
import { reshape } from "../layout/reshape.js";
import { argMax } from "../reduction/arg-max.js";
import { zerosLike } from "../zeros.js";
import { inferGlobalPool } from "./pool.js";

/** The largest element over all spatial axes, which remain as axes of size 1: `[N, C, ...spatial]` to `[N, C, 1, ...]`. */
export const globalMaxPool = (x: Value): Value => emit(GlobalMaxPool, [x]);

export const GlobalMaxPool = defineOperator({
  name: "GlobalMaxPool",
  inputs: ["X"],
  infer: inferGlobalPool,
  range: ofFirst,
  // the first largest element takes the whole cotangent
  gradient: ({ inputs: [x] }, [g]) => {
    const rows = [x.shape[0]!, x.shape[1]!];
    const flat = reshape(x, [...rows, sizeOf(x.shape.slice(2))]);
    const first = argMax(flat, 2, "keep");
    return [reshape(scatterElements(zerosLike(flat), first, reshape(g, [...rows, 1]), 2), x.shape)];
  },
});
