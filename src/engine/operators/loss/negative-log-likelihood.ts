import type { Value } from "../../graph/graph.js";
import { defineComposite, int, string } from "../../graph/operator.js";
import { logSoftmax } from "../activation/log-softmax.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { neg } from "../elementwise/neg.js";
import { scalar } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { gatherElements } from "../indexing/gather-elements.js";
import { squeeze } from "../layout/squeeze.js";
import { unsqueeze } from "../layout/unsqueeze.js";
import { equal } from "../logic/equal.js";
import { where } from "../logic/where.js";
import { reduceMean } from "../reduction/reduce-mean.js";
import { reduceSum } from "../reduction/reduce-sum.js";

const attributes = { ignore_index: int(), reduction: string("mean", ["none", "sum", "mean"]) };

interface Reduction {
  readonly ignore_index: number | undefined;
  readonly reduction: "none" | "sum" | "mean";
}

/**
 * l[n, d] = -w[t] · x[n, t, d] for log-probabilities x and the target t = t[n, d], and 0 where t is `ignore_index`; "mean" divides the sum by that
 * of the weights.
 */
function negativeLogLikelihood(
  x: Value,
  targets: Value,
  weights: Value | undefined,
  { ignore_index, reduction }: Reduction,
): Value {
  const ignored = ignore_index === undefined ? undefined : equal(targets, ignore_index);
  const classOf = ignored ? where(ignored, 0, targets) : targets;
  const own = weights && gather(weights, classOf);
  const weight = ignored ? where(ignored, 0, own ?? scalar(x.graph, 1, x.type)) : own;
  const loss = neg(squeeze(gatherElements(x, unsqueeze(classOf, [1]), 1), [1]));
  const weighted = weight ? mul(loss, weight) : loss;
  if (reduction === "none") return weighted;
  if (reduction === "sum") return reduceSum(weighted);
  return weight ? div(reduceSum(weighted), reduceSum(weight)) : reduceMean(weighted);
}

/** A loss that a file computes itself, of log-probabilities. */
export const NegativeLogLikelihoodLoss = defineComposite({
  name: "NegativeLogLikelihoodLoss",
  inputs: ["input", "target", "weight?"],
  outputs: ["loss"],
  attributes,
  decompose: ({ inputs: [x, targets, weights], attributes }) => [negativeLogLikelihood(x, targets, weights, attributes)],
});

/** That of log softmax(x), which is the second output. */
export const SoftmaxCrossEntropyLoss = defineComposite({
  name: "SoftmaxCrossEntropyLoss",
  inputs: ["scores", "labels", "weights?"],
  outputs: ["output", "log_prob?"],
  attributes,
  decompose: ({ inputs: [scores, labels, weights], attributes }) => {
    const logProbability = logSoftmax(scores, 1);
    return [negativeLogLikelihood(logProbability, labels, weights, attributes), logProbability];
  },
});
