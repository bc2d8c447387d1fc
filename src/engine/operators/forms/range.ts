import { defineComposite, type Operator } from "../../graph/operator.js";
import { minus, wholeNumbersOf } from "../../graph/whole-numbers.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
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
  // from a start that is computed, so many steps as the constant distance to the limit has
  computed: ({ inputs: [start, limit, delta] }) => {
    const [step, from, to] = [delta, start, limit].map((v) => wholeNumbersOf(v)?.[0]);
    const distance = from && to && minus(to, from);
    if (!distance || distance.of || !step || step.of || step.plus === 0) return undefined;
    const count = Math.max(0, Math.ceil(distance.plus / step.plus));
    const steps = Array.from({ length: count }, (_, i) => i * step.plus);
    return [add(reshape(start, []), start.graph.constant(tensor(start.type, [count], steps)))];
  },
  decompose: ({ inputs }) => [
    emit(
      Range,
      inputs.map((v) => (sizeOf(v.shape) === 1 ? reshape(v, []) : v)),
    ),
  ],
});

export const rangeForms: readonly Operator[] = [rangeForm];
