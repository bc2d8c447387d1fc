import { tensor } from "../../tensor/tensor.js";
import type { OnnxNode } from "../model.js";
import { type Conversion, int, intOf, newest, type Rewrite, textOf } from "./conversion.js";

/**
 * Losses that a file computes itself, in operators that have gradients:
 * NegativeLogLikelihoodLoss is l[n, d] = -w[t] · x[n, t, d] for the target t = t[n, d], and 0 where t is `ignore_index`; "mean" divides the
 * sum by that of the weights. SoftmaxCrossEntropyLoss is that of log softmax(x), which is its second output.
 */
function negativeLogLikelihood(node: OnnxNode, logProbability: string, to: Rewrite) {
  const [, targets, weights] = node.inputs as [string, string, string | undefined];
  const reduction = textOf(node, "reduction", "mean");
  const type = to.scope.type(node.inputs[0]!) ?? "float32";
  const one = to.constant(tensor(type, [], [1]), "one");
  const zero = to.constant(tensor(type, [], [0]), "zero");
  const classes = to.int64([1], "classes");

  let [classOf, weight]: [string, string | undefined] = [targets, undefined];
  if (node.attributes.ignore_index) {
    const ignored = to.add("Equal", [targets, to.like(targets, intOf(node, "ignore_index", 0))]);
    classOf = to.add("Where", [ignored, to.like(targets, 0), targets]);
    weight = to.add("Where", [ignored, zero, weights ? to.add("Gather", [weights, classOf]) : one]);
  } else if (weights) weight = to.add("Gather", [weights, classOf]);

  const picked = to.add("GatherElements", [logProbability, to.add("Unsqueeze", [classOf, classes])], { axis: int(1) });
  const loss = to.add("Neg", [to.add("Squeeze", [picked, classes])]);
  const weighted = weight ? to.add("Mul", [loss, weight]) : loss;
  const all = { keepdims: int(0) };
  if (reduction === "none") return to.finish("Identity", [weighted]);
  if (reduction === "sum") return to.finish("ReduceSum", [weighted], all);
  if (!weight) return to.finish("ReduceMean", [weighted], all);
  to.finish("Div", [to.add("ReduceSum", [weighted], all), to.add("ReduceSum", [weight], all)]);
}

export const losses: readonly Conversion[] = [
  {
    op: "NegativeLogLikelihoodLoss",
    from: 12,
    to: newest,
    inputs: 2,
    convert: (node, to) => negativeLogLikelihood(node, node.inputs[0]!, to),
  },
  {
    op: "SoftmaxCrossEntropyLoss",
    from: 12,
    to: newest,
    inputs: 2,
    convert: (node, to) => {
      const named = node.outputs[1] ? [node.outputs[1]] : undefined;
      negativeLogLikelihood(node, to.add("LogSoftmax", [node.inputs[0]!], { axis: int(1) }, named), to);
    },
  },
];
