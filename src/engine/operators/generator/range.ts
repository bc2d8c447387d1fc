import type { Value } from "../../graph/graph.js";
import { defineOperator, notDifferentiable, type Operator } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { constantNumbers, emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";

export const Range: Operator = defineOperator({
  name: "Range",
  inputs: ["start", "limit", "delta"],
  outputs: ["output"],
  // ONNX Runtime takes operands of one element whatever their rank, as long as it does not know their shapes when it loads the file
  decompose: ({ inputs }): readonly Value[] | undefined =>
    inputs.some((v) => v.shape.length > 0) && inputs.every((v) => sizeOf(v.shape) === 1)
      ? [
          emit(
            Range,
            inputs.map((v) => reshape(v, [])),
          ),
        ]
      : undefined,
  infer: ({ inputs: [start, limit, delta], fail }) => {
    const [a, b, d] = [start, limit, delta].map((v, i) => constantNumbers(v, ["start", "limit", "delta"][i]!, fail)[0]!);
    if (d === 0) fail("its delta must not be 0");
    return [{ type: start.type, shape: [Math.max(0, Math.ceil((b! - a!) / d!))] }];
  },
  gradient: notDifferentiable("the number of its elements depends on its operands"),
});
