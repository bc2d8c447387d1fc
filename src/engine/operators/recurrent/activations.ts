import type { Value } from "../../graph/graph.js";
import { elu } from "../activation/elu.js";
import { hardSigmoid } from "../activation/hard-sigmoid.js";
import { leakyRelu } from "../activation/leaky-relu.js";
import { relu } from "../activation/relu.js";
import { sigmoid } from "../activation/sigmoid.js";
import { softplus } from "../activation/softplus.js";
import { softsign } from "../activation/softsign.js";
import { thresholdedRelu } from "../activation/thresholded-relu.js";
import { add } from "../elementwise/add.js";
import { clip } from "../elementwise/clip.js";
import { mul } from "../elementwise/mul.js";
import { tanh } from "../elementwise/tanh.js";

export type Activation = (x: Value) => Value;

interface Kind {
  /** Values of alpha and beta where the node gives none; undefined where the function has no such parameter. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly apply: (x: Value, alpha: number, beta: number) => Value;
}

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["Relu", { apply: relu }],
  ["Tanh", { apply: tanh }],
  ["Sigmoid", { apply: sigmoid }],
  ["Softsign", { apply: softsign }],
  ["Softplus", { apply: softplus }],
  ["Affine", { alpha: 1, beta: 0, apply: (x, alpha, beta) => add(mul(x, alpha), beta) }],
  ["LeakyRelu", { alpha: 0.01, apply: leakyRelu }],
  ["ThresholdedRelu", { alpha: 1, apply: thresholdedRelu }],
  ["ScaledTanh", { alpha: 1, beta: 1, apply: (x, alpha, beta) => mul(tanh(mul(x, beta)), alpha) }],
  ["HardSigmoid", { alpha: 0.2, beta: 0.5, apply: hardSigmoid }],
  ["Elu", { alpha: 1, apply: elu }],
]);

/**
 * The activation functions of a recurrent node, for each direction those of `defaults`. `activation_alpha` and `activation_beta` list the
 * parameters of those functions that have them, in their order; `clip` bounds what goes into the
 * first `clipped` functions of each direction: ONNX Runtime bounds sums of inputs and states, and not the memory of an LSTM, which is shown by the last.
 */
export function activationsOf(
  attributes: {
    readonly activations: readonly string[] | undefined;
    readonly activation_alpha: readonly number[] | undefined;
    readonly activation_beta: readonly number[] | undefined;
    readonly clip: number | undefined;
  },
  directions: number,
  defaults: readonly string[],
  fail: (message: string) => never,
  clipped = defaults.length,
): Activation[][] {
  const names = attributes.activations ?? Array.from({ length: directions }, () => defaults).flat();
  if (names.length !== directions * defaults.length)
    fail(`it names ${names.length} activations, ${directions * defaults.length} are needed`);
  const alphas = [...(attributes.activation_alpha ?? [])];
  const betas = [...(attributes.activation_beta ?? [])];
  const threshold = attributes.clip ?? 0;
  const functions = names.map((name, at): Activation => {
    const kind =
      kinds.get([...kinds.keys()].find((known) => known.toLowerCase() === name.toLowerCase()) ?? "") ??
      fail(`it has no activation "${name}"; there are ${[...kinds.keys()].join(", ")}`);
    const alpha = kind.alpha === undefined ? 0 : (alphas.shift() ?? kind.alpha);
    const beta = kind.beta === undefined ? 0 : (betas.shift() ?? kind.beta);
    const bounded = threshold > 0 && at % defaults.length < clipped;
    return (x) => kind.apply(bounded ? clip(x, -threshold, threshold) : x, alpha, beta);
  });
  return Array.from({ length: directions }, (_, d) => functions.slice(d * defaults.length, (d + 1) * defaults.length));
}
