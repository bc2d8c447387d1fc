import { defineComposite, type Operator } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { emit } from "../emit.js";
import { Range } from "../generator/range.js";
import { reshape } from "../layout/reshape.js";
import { newest } from "./newest.js";

/** ONNX Runtime takes operands of one element whatever their rank, as long as it does not know their shapes when it loads the file. */
const rangeForm = defineComposite({
  name: "Range",
  opsets: [11, newest],
  inputs: ["start", "limit", "delta"],
  outputs: ["output"],
  decompose: ({ inputs }) => [
    emit(
      Range,
      inputs.map((v) => (sizeOf(v.shape) === 1 ? reshape(v, []) : v)),
    ),
  ],
});

export const rangeForms: readonly Operator[] = [rangeForm];
