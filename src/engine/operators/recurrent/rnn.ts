import type { Value } from "../../graph/graph.js";
import { defineOperator, type Operator } from "../../graph/operator.js";
import { add } from "../elementwise/add.js";
import { emitAll } from "../emit.js";
import { transpose } from "../layout/transpose.js";
import { matMul } from "../linear/mat-mul.js";
import { gradientThroughParts } from "../through-parts.js";
import { activationsOf } from "./activations.js";
import {
  biasesOf,
  type Direction,
  ofDirection,
  plus,
  recurrentAttributes,
  recurrentTypes,
  sizesOf,
  stepsFirst,
  unroll,
} from "./recurrence.js";

export interface RnnOptions {
  /** `[D, 2·H]`: biases of the input, then of the recurrence. */
  readonly bias?: Value;
  /** `[D, N, H]`; default zeros. */
  readonly initialHidden?: Value;
  readonly direction?: Direction;
}

/**
 * Elman's recurrent network over sequences: `H' = tanh(X W + b_W + H R + b_R)`.
 *
 * @param x `[T, N, I]`
 * @param w `[D, H, I]`; D is 2 where it runs in both directions
 * @param r `[D, H, H]`
 * @returns all hidden states `[T, D, N, H]` and the last one `[D, N, H]`
 */
export function rnn(x: Value, w: Value, r: Value, options: RnnOptions = {}) {
  const inputs = [x, w, r, options.bias, undefined, options.initialHidden];
  const [y, hidden] = emitAll(RNN, inputs, { direction: options.direction, hidden_size: r.shape[2] }, 2);
  return { y: y!, hidden: hidden! };
}

export const RNN: Operator = defineOperator({
  name: "RNN",
  inputs: ["X", "W", "R", "B?", "sequence_lens?", "initial_h?"],
  outputs: ["Y?", "Y_h?"],
  attributes: recurrentAttributes,
  infer: (context) => recurrentTypes(context, 1, 1),
  decompose: ({ inputs, attributes, graph }) =>
    attributes.layout === 0
      ? undefined
      : stepsFirst(inputs, [5], (turned) => graph.add(RNN, turned, { ...attributes, layout: 0 }, { outputCount: 2 })),
  gradient: (context, cotangents) =>
    gradientThroughParts(context, cotangents, (parts) => {
      const [, , r, b, , hidden] = parts.inputs;
      const sizes = sizesOf(parts, 1);
      const functions = activationsOf(parts.attributes, sizes.directions, ["Tanh"], parts.fail);
      const perDirection = functions.map((_, d) => ({ recurrence: transpose(ofDirection(r, d)), biases: biasesOf(b, d) }));
      return unroll(parts, sizes, [hidden], ({ direction, input, state: [h] }) => {
        const { recurrence, biases } = perDirection[direction]!;
        return [functions[direction]![0]!(plus(plus(add(input, matMul(h!, recurrence)), biases[0]), biases[1]))];
      });
    }),
});
