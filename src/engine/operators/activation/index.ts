import { Celu } from "./celu.js";
import { Elu } from "./elu.js";
import { Gelu } from "./gelu.js";
import { HardSigmoid } from "./hard-sigmoid.js";
import { HardSwish } from "./hard-swish.js";
import { Hardmax } from "./hardmax.js";
import { LeakyRelu } from "./leaky-relu.js";
import { LogSoftmax } from "./log-softmax.js";
import { Mish } from "./mish.js";
import { PRelu } from "./prelu.js";
import { Relu } from "./relu.js";
import { Selu } from "./selu.js";
import { Shrink } from "./shrink.js";
import { Sigmoid } from "./sigmoid.js";
import { Softmax } from "./softmax.js";
import { Softplus } from "./softplus.js";
import { Softsign } from "./softsign.js";
import { Swish } from "./swish.js";
import { ThresholdedRelu } from "./thresholded-relu.js";

export { celu } from "./celu.js";
export { elu } from "./elu.js";
export { gelu } from "./gelu.js";
export { hardSigmoid } from "./hard-sigmoid.js";
export { hardSwish } from "./hard-swish.js";
export { hardmax } from "./hardmax.js";
export { leakyRelu } from "./leaky-relu.js";
export { logSoftmax } from "./log-softmax.js";
export { mish } from "./mish.js";
export { prelu } from "./prelu.js";
export { relu } from "./relu.js";
export { selu } from "./selu.js";
export { shrink } from "./shrink.js";
export { sigmoid } from "./sigmoid.js";
export { silu } from "./silu.js";
export { softmax } from "./softmax.js";
export { softplus } from "./softplus.js";
export { softsign } from "./softsign.js";
export { thresholdedRelu } from "./thresholded-relu.js";

export const activationOperators = {
  Celu,
  Elu,
  Gelu,
  HardSigmoid,
  HardSwish,
  Hardmax,
  LeakyRelu,
  LogSoftmax,
  Mish,
  PRelu,
  Relu,
  Selu,
  Shrink,
  Sigmoid,
  Softmax,
  Softplus,
  Softsign,
  ThresholdedRelu,
  Swish,
};
