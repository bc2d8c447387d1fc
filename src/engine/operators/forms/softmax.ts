import { defineComposite, int, type Operator } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { Hardmax } from "../activation/hardmax.js";
import { LogSoftmax } from "../activation/log-softmax.js";
import { Softmax } from "../activation/softmax.js";
import { emit, normalizeAxis } from "../emit.js";
import { reshape } from "../layout/reshape.js";

/** Before opset 13 these worked on the input flattened to two axes at `axis`; since then they work along one axis. */
const flattening = (operator: Operator): Operator =>
  defineComposite({
    name: operator.name,
    opsets: [7, 12],
    inputs: ["input"],
    outputs: ["output"],
    attributes: { axis: int(1) },
    decompose: ({ inputs: [x], attributes, fail }) => {
      const { shape } = x;
      const axis = attributes.axis === shape.length ? shape.length : normalizeAxis(attributes.axis, shape.length, fail);
      if (axis === shape.length - 1) return [emit(operator, [x], { axis: -1 })];
      const flat = reshape(x, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))]);
      return [reshape(emit(operator, [flat], { axis: -1 }), shape)];
    },
  });

export const softmaxForms: readonly Operator[] = [Softmax, LogSoftmax, Hardmax].map(flattening);
