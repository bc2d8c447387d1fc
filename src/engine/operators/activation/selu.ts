import type { Value } from "../../graph/graph.js";
import { defineOperator, float } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { emit, sameAsInput } from "../emit.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";

// the defaults of the ONNX specification, float32 numbers
const seluAlpha = 1.6732631921768188;
const seluGamma = 1.0507010221481323;

/** `gamma x` where positive, else `gamma alpha (e^x - 1)` (Klambauer et al. 2017, arXiv 1706.02515). */
export const selu = (x: Value, alpha = seluAlpha, gamma = seluGamma): Value => emit(Selu, [x], { alpha, gamma });

export const Selu = defineOperator({
  name: "Selu",
  inputs: ["X"],
  attributes: { alpha: float(seluAlpha), gamma: float(seluGamma) },
  infer: sameAsInput,
  range: finite,
  // dy/dx = gamma where x > 0, else gamma alpha e^x = y + gamma alpha
  gradient: ({ inputs: [x], outputs: [y], attributes: { alpha, gamma } }, [g]) => [
    where(greater(x, 0), mul(g, gamma), mul(g, add(y, gamma * alpha))),
  ],
});
