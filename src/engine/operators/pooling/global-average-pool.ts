import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { sizeOf } from "../../tensor/tensor.js";
import { div } from "../elementwise/div.js";
import { emit } from "../emit.js";
import { expand } from "../layout/expand.js";
import { inferGlobalPool } from "./pool.js";

/** The mean over all spatial axes, which remain as axes of size 1: `[N, C, ...spatial]` to `[N, C, 1, ...]`. */
export const globalAveragePool = (x: Value): Value => emit(GlobalAveragePool, [x]);

export const GlobalAveragePool = defineOperator({
  name: "GlobalAveragePool",
  inputs: ["X"],
  infer: inferGlobalPool,
  range: ofFirst,
  // each of the S positions has 1/S of the mean
  gradient: ({ inputs: [x] }, [g]) => [expand(div(g, sizeOf(x.shape.slice(2))), x.shape)],
});
