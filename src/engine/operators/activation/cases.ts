import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { equal } from "../logic/equal.js";
import { isNan } from "../logic/is-nan.js";
import { less } from "../logic/less.js";
import { where } from "../logic/where.js";
import { reduceMax } from "../reduction/reduce-max.js";
import * as a from "./index.js";

const x = { x: { shape: [2, 3, 4] } } as const;
/** Both signs, away from zero and from the kinks at 0.5, 1, 2.5 and 3. */
const bent = { x: { shape: [2, 5], values: [0.3, -0.4, 1.3, -1.6, 4, -4, 0.7, -0.8, 2, -2] } } as const;

/** Attention's weights where one row and some entries are masked: zeros stand where `which` finds a row without any entry. */
function filled(x: Value, which: (weights: Value, masked: Value) => Value): Value {
  const open = Array.from({ length: 24 }, (_, i) => ((i >= 4 && i < 8) || i === 13 ? Number.NEGATIVE_INFINITY : 0));
  const masked = add(x, x.graph.constant(tensor("float32", [2, 3, 4], open)));
  const weights = a.softmax(masked);
  return where(which(weights, masked), 0, weights);
}

export const activationCases: readonly OperatorCase[] = [
  { name: "Relu", operator: "Relu", inputs: bent, build: ({ x }) => a.relu(x!) },
  { name: "LeakyRelu", operator: "LeakyRelu", inputs: bent, build: ({ x }) => a.leakyRelu(x!) },
  { name: "LeakyRelu: 0.3", operator: "LeakyRelu", inputs: bent, build: ({ x }) => a.leakyRelu(x!, 0.3) },
  { name: "LeakyRelu: -0.3", operator: "LeakyRelu", inputs: bent, build: ({ x }) => a.leakyRelu(x!, -0.3) },
  { name: "Elu", operator: "Elu", inputs: bent, build: ({ x }) => a.elu(x!) },
  { name: "Elu: 0.6", operator: "Elu", inputs: bent, build: ({ x }) => a.elu(x!, 0.6) },
  { name: "Selu", operator: "Selu", inputs: bent, build: ({ x }) => a.selu(x!) },
  { name: "Selu: 1.2, 0.7", operator: "Selu", inputs: bent, build: ({ x }) => a.selu(x!, 1.2, 0.7) },
  { name: "Celu", operator: "Celu", inputs: bent, build: ({ x }) => a.celu(x!) },
  { name: "Celu: 0.6", operator: "Celu", inputs: bent, build: ({ x }) => a.celu(x!, 0.6) },
  { name: "HardSigmoid", operator: "HardSigmoid", inputs: bent, build: ({ x }) => a.hardSigmoid(x!) },
  { name: "HardSigmoid: 0.3, 0.45", operator: "HardSigmoid", inputs: bent, build: ({ x }) => a.hardSigmoid(x!, 0.3, 0.45) },
  { name: "HardSwish", operator: "HardSwish", inputs: bent, build: ({ x }) => a.hardSwish(x!) },
  { name: "ThresholdedRelu", operator: "ThresholdedRelu", inputs: bent, build: ({ x }) => a.thresholdedRelu(x!) },
  { name: "ThresholdedRelu: 0.2", operator: "ThresholdedRelu", inputs: bent, build: ({ x }) => a.thresholdedRelu(x!, 0.2) },
  { name: "Shrink", operator: "Shrink", inputs: bent, build: ({ x }) => a.shrink(x!) },
  { name: "Shrink: 0.9, 0.2", operator: "Shrink", inputs: bent, build: ({ x }) => a.shrink(x!, 0.9, 0.2) },
  { name: "Softsign", operator: "Softsign", inputs: bent, build: ({ x }) => a.softsign(x!) },
  { name: "Sigmoid", operator: "Sigmoid", inputs: x, build: ({ x }) => a.sigmoid(x!) },
  { name: "Softplus", operator: "Softplus", inputs: x, build: ({ x }) => a.softplus(x!) },
  { name: "Mish", operator: "Mish", inputs: x, build: ({ x }) => a.mish(x!) },
  { name: "Softmax: last axis", operator: "Softmax", inputs: x, build: ({ x }) => a.softmax(x!) },
  { name: "Softmax: axis 1", operator: "Softmax", inputs: x, build: ({ x }) => a.softmax(x!, 1) },
  { name: "Softmax: axis 0", operator: "Softmax", inputs: x, build: ({ x }) => a.softmax(x!, 0) },
  { name: "Softmax: axis -2", operator: "Softmax", inputs: x, build: ({ x }) => a.softmax(x!, -2) },
  {
    name: "Softmax: a row without any entry, NaN taken out",
    operator: "Softmax",
    inputs: x,
    build: ({ x }) => filled(x!, isNan),
  },
  {
    name: "Softmax: a row without any entry, known beforehand",
    operator: "Softmax",
    inputs: x,
    build: ({ x }) => filled(x!, (_, masked) => equal(reduceMax(masked, [-1], "keep"), Number.NEGATIVE_INFINITY)),
  },
  {
    name: "Softmax: entries taken out afterwards",
    operator: "Softmax",
    inputs: x,
    build: ({ x }) => where(less(x!, 0.1), 0, a.softmax(x!)),
  },
  { name: "LogSoftmax: last axis", operator: "LogSoftmax", inputs: x, build: ({ x }) => a.logSoftmax(x!) },
  { name: "LogSoftmax: axis 1", operator: "LogSoftmax", inputs: x, build: ({ x }) => a.logSoftmax(x!, 1) },
  { name: "LogSoftmax: axis 0", operator: "LogSoftmax", inputs: x, build: ({ x }) => a.logSoftmax(x!, 0) },
  { name: "LogSoftmax: axis -2", operator: "LogSoftmax", inputs: x, build: ({ x }) => a.logSoftmax(x!, -2) },
  { name: "Hardmax", operator: "Hardmax", inputs: bent, build: ({ x }) => mul(a.hardmax(x!), x!) },
  {
    name: "PRelu: slope per channel",
    operator: "PRelu",
    inputs: { x: { shape: [2, 2, 2], values: [0.3, -0.4, 1.3, -1.6, -0.9, 0.8, -0.7, 2] }, slope: { shape: [2, 1] } },
    build: ({ x, slope }) => a.prelu(x!, slope!),
  },
  {
    name: "PRelu: one slope",
    operator: "PRelu",
    inputs: { ...bent, slope: { shape: [1] } },
    build: ({ x, slope }) => a.prelu(x!, slope!),
  },
  { name: "gelu: exact", operator: "Erf", inputs: x, build: ({ x }) => a.gelu(x!) },
  { name: "gelu: tanh", operator: "Tanh", inputs: x, build: ({ x }) => a.gelu(x!, "tanh") },
  { name: "silu", operator: "Sigmoid", inputs: x, build: ({ x }) => a.silu(x!) },
];
