import type { Value } from "../../graph/graph.js";
import {
  type AttributeSchema,
  defineComposite,
  flag,
  float,
  int,
  ints,
  type Operator,
  required,
  string,
} from "../../graph/operator.js";
import { cast } from "../elementwise/cast.js";
import { Clip } from "../elementwise/clip.js";
import { constantNumbers, emit, emitAll, intsConstant, scalar } from "../emit.js";
import { TopK } from "../indexing/top-k.js";
import { expand } from "../layout/expand.js";
import { Pad } from "../layout/pad.js";
import { slice } from "../layout/slice.js";
import { Split } from "../layout/split.js";
import { Squeeze } from "../layout/squeeze.js";
import { Unsqueeze } from "../layout/unsqueeze.js";
import { ReduceL1 } from "../reduction/reduce-l1.js";
import { ReduceL2 } from "../reduction/reduce-l2.js";
import { ReduceLogSum } from "../reduction/reduce-log-sum.js";
import { ReduceLogSumExp } from "../reduction/reduce-log-sum-exp.js";
import { ReduceMax } from "../reduction/reduce-max.js";
import { ReduceMean } from "../reduction/reduce-mean.js";
import { ReduceMin } from "../reduction/reduce-min.js";
import { ReduceProd } from "../reduction/reduce-prod.js";
import { ReduceSum } from "../reduction/reduce-sum.js";
import { ReduceSumSquare } from "../reduction/reduce-sum-square.js";
import { DFT } from "../resampling/dft.js";
import { newest } from "./newest.js";

/** Attributes that became inputs, so that they can be computed, and the other way round. */

/** `axes` as an attribute. No axes, or none listed, mean all of them, as an absent input does. */
const withAxes = (operator: Operator, last: number, attributes: AttributeSchema = {}): Operator =>
  defineComposite({
    name: operator.name,
    opsets: [7, last],
    inputs: ["data"],
    attributes: { ...attributes, axes: ints() },
    decompose: ({ inputs: [x], attributes: { axes, ...others } }) => {
      const listed = axes as readonly number[] | undefined;
      return [emit(operator, [x, listed && listed.length > 0 ? intsConstant(x.graph, listed) : undefined], others)];
    },
  });

const reductions = [
  ReduceL1,
  ReduceL2,
  ReduceLogSum,
  ReduceLogSumExp,
  ReduceMax,
  ReduceMean,
  ReduceMin,
  ReduceProd,
  ReduceSumSquare,
];

/** ReduceMax and ReduceMin of booleans (opset 20) are those of 0 and 1. */
const ofBooleans = (operator: Operator): Operator =>
  defineComposite({
    name: operator.name,
    opsets: [20, newest],
    inputs: ["data", "axes?"],
    attributes: { keepdims: flag(1), noop_with_empty_axes: flag(0) },
    decompose: ({ inputs: [x, axes], attributes }) =>
      x.type === "bool"
        ? [cast(emit(operator, [cast(x, "int32"), axes], attributes), "bool")]
        : [emit(operator, [x, axes], attributes)],
  });

const sliceForm = defineComposite({
  name: "Slice",
  opsets: [7, 9],
  inputs: ["data"],
  attributes: { starts: required(ints()), ends: required(ints()), axes: ints() },
  decompose: ({ inputs: [x], attributes: { starts, ends, axes } }) => [slice(x, starts, ends, axes ? { axes } : {})],
});

const padForm = defineComposite({
  name: "Pad",
  opsets: [7, 10],
  inputs: ["data"],
  attributes: { pads: required(ints()), mode: string("constant", ["constant", "reflect", "edge"]), value: float(0) },
  decompose: ({ inputs: [x], attributes: { pads, mode, value } }) => [
    emit(Pad, [x, intsConstant(x.graph, pads), value === 0 ? undefined : value], { mode }),
  ],
});

/** The old defaults were the largest finite float32; a bound as large as that bounds nothing. */
const largest = 3.4028234e38;
const clipForm = defineComposite({
  name: "Clip",
  opsets: [7, 10],
  inputs: ["input"],
  attributes: { min: float(-largest), max: float(largest) },
  decompose: ({ inputs: [x], attributes: { min, max } }) => [
    emit(Clip, [x, min > -largest ? min : undefined, max < largest ? max : undefined]),
  ],
});

/** Opset 18 has equal parts said by their number, where the number of outputs said it before. */
const equalParts = (x: Value, axis: number, count: number): readonly Value[] =>
  emitAll(Split, [x], { axis, num_outputs: count }, count);

const splitByAttribute = defineComposite({
  name: "Split",
  opsets: [7, 12],
  inputs: ["input"],
  outputs: ["...outputs"],
  attributes: { axis: int(0), split: ints() },
  decompose: ({ inputs: [x], attributes: { axis, split }, outputCount }) =>
    split && split.length > 0
      ? emitAll(Split, [x, intsConstant(x.graph, split)], { axis }, outputCount)
      : equalParts(x, axis, outputCount),
});

const splitByInput = defineComposite({
  name: "Split",
  opsets: [13, 17],
  inputs: ["input", "split?"],
  outputs: ["...outputs"],
  attributes: { axis: int(0) },
  decompose: ({ inputs: [x, split], attributes: { axis }, outputCount }) =>
    split ? emitAll(Split, [x, split], { axis }, outputCount) : equalParts(x, axis, outputCount),
});

/** Up to opset 11 there is inference only, which hands its input through; what the mask is then was left open. */
const dropoutForm = defineComposite({
  name: "Dropout",
  opsets: [7, 11],
  inputs: ["data"],
  outputs: ["output", "mask?"],
  attributes: { ratio: float(0.5) },
  decompose: ({ inputs: [x], read, fail }) => {
    if (read[1]) fail("its mask is read, which inference leaves open; export the model in eval mode");
    return [x, expand(scalar(x.graph, 1, "bool"), x.shape)];
  },
});

const topKForm = defineComposite({
  name: "TopK",
  opsets: [7, 9],
  inputs: ["X"],
  outputs: ["Values", "Indices"],
  attributes: { axis: int(-1), k: required(int()) },
  decompose: ({ inputs: [x], attributes: { axis, k } }) => emitAll(TopK, [x, intsConstant(x.graph, [k])], { axis }, 2),
});

/** Opset 20 has the axis as an input. */
const dftForm = defineComposite({
  name: "DFT",
  opsets: [20, newest],
  inputs: ["input", "dft_length?", "axis?"],
  outputs: ["output"],
  attributes: { inverse: flag(0), onesided: flag(0) },
  decompose: ({ inputs: [x, length, axisInput], attributes, fail }) => {
    const [axis = -2] = axisInput ? constantNumbers(axisInput, "axis", fail) : [];
    return [emit(DFT, [x, length], { ...attributes, axis: axis < 0 ? axis + x.shape.length : axis })];
  },
});

export const argumentForms: readonly Operator[] = [
  withAxes(Squeeze, 12),
  withAxes(Unsqueeze, 12),
  withAxes(ReduceSum, 12, { keepdims: flag(1) }),
  ...reductions.map((operator) => withAxes(operator, 17, { keepdims: flag(1) })),
  ofBooleans(ReduceMax),
  ofBooleans(ReduceMin),
  sliceForm,
  padForm,
  clipForm,
  splitByAttribute,
  splitByInput,
  dropoutForm,
  topKForm,
  dftForm,
];
