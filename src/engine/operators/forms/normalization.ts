import type { Value } from "../../graph/graph.js";
import { defineComposite, float, int, type Operator, required } from "../../graph/operator.js";
import { add } from "../elementwise/add.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { sqrt } from "../elementwise/sqrt.js";
import { sub } from "../elementwise/sub.js";
import { scalar } from "../emit.js";
import { expand } from "../layout/expand.js";
import { reshape } from "../layout/reshape.js";
import { batchNormalization } from "../normalization/batch-normalization.js";
import { normalizeByBatch } from "../normalization/batch-statistics.js";
import { instanceNormalization } from "../normalization/instance-normalization.js";
import { newest } from "./newest.js";

/**
 * Up to opset 13 a node with all five outputs is in training, whether or not anybody reads them: ONNX Runtime 1.30 normalizes by the batch then. Up
 * to 8 statistics could be those of each element.
 */
const batchNormalizationForm = defineComposite({
  name: "BatchNormalization",
  opsets: [7, 13],
  inputs: ["X", "scale", "B", "mean", "var"],
  outputs: ["Y", "mean?", "var?", "saved_mean?", "saved_var?"],
  attributes: { epsilon: float(1e-5), momentum: float(0.9), spatial: int(1) },
  decompose: ({ inputs, attributes: { epsilon, momentum, spatial }, read, fail }) => {
    const [x, scale, bias, mean, variance] = inputs;
    const trains = read.length === 5;
    if (read.slice(trains ? 3 : 1).some(Boolean))
      fail("a training statistic that it makes is read; export the model in eval mode");
    if (trains && spatial === 0) fail("it is in training, with statistics of each element; export the model in eval mode");
    if (trains) return normalizeByBatch(inputs, { epsilon, momentum });
    if (spatial !== 0) return [batchNormalization(x, scale, bias, mean, variance, epsilon)];
    const normal = div(sub(x, mean), sqrt(add(variance, epsilon)));
    return [add(mul(normal, scale), bias)];
  },
});

interface Groups {
  readonly x: Value;
  readonly scale: Value;
  readonly count: number;
}

/** Instance normalization of the groups as channels. ONNX Runtime has no kernel for the operator itself. */
function grouped({ x, scale, count }: Groups, bias: Value, epsilon: number): Value {
  return reshape(instanceNormalization(reshape(x, [x.shape[0]!, count, -1]), scale, bias, epsilon), x.shape);
}

const checkGroups = (x: Value, count: number, fail: (message: string) => never): void => {
  if (x.shape.length < 2 || !(count >= 1) || x.shape[1]! % count !== 0) fail(`${count} groups do not divide its channels`);
};

/** Opset 18 has scale and bias of each group. */
const perGroup = defineComposite({
  name: "GroupNormalization",
  opsets: [18, 20],
  inputs: ["X", "scale", "bias"],
  attributes: { epsilon: float(1e-5), num_groups: required(int()) },
  decompose: ({ inputs: [x, scale, bias], attributes: { epsilon, num_groups: count }, fail }) => {
    checkGroups(x, count, fail);
    return [grouped({ x, scale, count }, bias, epsilon)];
  },
});

/** Opset 21 has them of each channel. */
const perChannel = defineComposite({
  name: "GroupNormalization",
  opsets: [21, newest],
  inputs: ["X", "scale", "bias"],
  attributes: { epsilon: float(1e-5), num_groups: required(int()), stash_type: int(1) },
  decompose: ({ inputs: [x, scale, bias], attributes: { epsilon, num_groups: count }, fail }) => {
    checkGroups(x, count, fail);
    const filled = (value: number) => expand(scalar(x.graph, value, scale.type), [count]);
    const normal = grouped({ x, scale: filled(1), count }, filled(0), epsilon);
    const along = [-1, ...x.shape.slice(2).map(() => 1)];
    return [add(mul(normal, reshape(scale, along)), reshape(bias, along))];
  },
});

export const normalizationForms: readonly Operator[] = [batchNormalizationForm, perGroup, perChannel];
