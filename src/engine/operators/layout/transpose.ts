import type { Value } from "../../graph/graph.js";
import { defineOperator, ints } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { emit } from "../emit.js";

/** Permutes axes: axis `i` of the result is axis `perm[i]` of `x`. Default: reverses them. */
export const transpose = (x: Value, perm?: readonly number[]): Value => emit(Transpose, [x], { perm });

const reversed = (x: Value): number[] => x.shape.map((_, i) => x.shape.length - 1 - i);

export const Transpose = defineOperator({
  name: "Transpose",
  inputs: ["data"],
  outputs: ["transposed"],
  attributes: { perm: ints() },
  flops: "none",
  // The default is written out: without it, ONNX Runtime 1.30 ends the process where a Transpose stands behind DequantizeLinear (level "basic" and above).
  decompose: ({ inputs: [x], attributes }) => (attributes.perm ? undefined : [transpose(x, reversed(x))]),
  infer: ({ inputs: [x], attributes, fail }) => {
    const perm = attributes.perm ?? reversed(x);
    if (perm.length !== x.shape.length || new Set(perm).size !== perm.length || !perm.every((p) => p in x.shape))
      fail(`perm [${perm.join(", ")}] is no permutation of its axes`);
    return [{ type: x.type, shape: perm.map((p) => x.shape[p]!) }];
  },
  range: ofFirst,
  // the inverse permutation
  gradient: ({ inputs: [x], attributes }, [g]) => {
    const perm = attributes.perm ?? reversed(x);
    const inverse = perm.map((_, i) => perm.indexOf(i));
    return [transpose(g, inverse)];
  },
});
