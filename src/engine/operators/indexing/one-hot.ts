import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { tensor } from "../../tensor/tensor.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { constantNumbers, emit, intsConstant, normalizeAxis } from "../emit.js";
import { concat } from "../layout/concat.js";
import { reshape } from "../layout/reshape.js";
import { reduceSum } from "../reduction/reduce-sum.js";

/** Float32 zeros with a one at each index, along a new axis of size `depth`. */
export const oneHot = (indices: Value, depth: number, axis = -1): Value =>
  emit(OneHot, [indices, intsConstant(indices.graph, [depth]), indices.graph.constant(tensor("float32", [2], [0, 1]))], { axis });

export const OneHot = defineOperator({
  name: "OneHot",
  inputs: ["indices", "depth", "values"],
  outputs: ["output"],
  attributes: { axis: int(-1) },
  infer: ({ inputs: [indices, depthInput, values], attributes, fail }) => {
    const [depth] = constantNumbers(depthInput, "depth", fail);
    const axis = normalizeAxis(attributes.axis, indices.shape.length + 1, fail);
    return [{ type: values.type, shape: [...indices.shape.slice(0, axis), depth!, ...indices.shape.slice(axis)] }];
  },
  range: finite,
  // y = off + (on - off) h for the 0/1 tensor h: d on = Σ g h, d off = Σ g - Σ g h
  gradient: ({ inputs: [indices, depth, values], attributes }, [g]) => {
    const h = emit(OneHot, [indices, depth, g.graph.constant(tensor(values.type, [2], [0, 1]))], attributes);
    const on = reduceSum(mul(g, h));
    const off = sub(reduceSum(g), on);
    return [undefined, undefined, concat([reshape(off, [1]), reshape(on, [1])], 0)];
  },
});
