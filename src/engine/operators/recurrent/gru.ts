import type { Value } from "../../graph/graph.js";
import { defineOperator, flag, type Operator } from "../../graph/operator.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { emitAll } from "../emit.js";
import { split } from "../layout/split.js";
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

export interface GruOptions {
  /** `[D, 6·H]`: biases of the input, then of the recurrence. */
  readonly bias?: Value;
  /** `[D, N, H]`; default zeros. */
  readonly initialHidden?: Value;
  readonly direction?: Direction;
  /** Whether the reset gate acts on the state ("state", ONNX's default) or on its linear map ("map", as PyTorch and cuDNN have it). */
  readonly reset?: "state" | "map";
}

/**
 * Gated recurrent unit over sequences (Cho et al. 2014, arXiv 1406.1078).
 *
 * @param x `[T, N, I]`
 * @param w `[D, 3·H, I]`, gates in the order update, reset, hidden; D is 2 where it runs in both directions
 * @param r `[D, 3·H, H]`
 * @returns all hidden states `[T, D, N, H]` and the last one `[D, N, H]`
 */
export function gru(x: Value, w: Value, r: Value, options: GruOptions = {}) {
  const inputs = [x, w, r, options.bias, undefined, options.initialHidden];
  const attributes = {
    direction: options.direction,
    hidden_size: r.shape[2],
    linear_before_reset: options.reset === "map" ? 1 : 0,
  };
  const [y, hidden] = emitAll(GRU, inputs, attributes, 2);
  return { y: y!, hidden: hidden! };
}

export const GRU: Operator = defineOperator({
  name: "GRU",
  inputs: ["X", "W", "R", "B?", "sequence_lens?", "initial_h?"],
  outputs: ["Y?", "Y_h?"],
  attributes: { ...recurrentAttributes, linear_before_reset: flag(0) },
  infer: (context) => recurrentTypes(context, 3, 1),
  decompose: ({ inputs, attributes, graph }) =>
    attributes.layout === 0
      ? undefined
      : stepsFirst(inputs, [5], (turned) => graph.add(GRU, turned, { ...attributes, layout: 0 }, { outputCount: 2 })),
  // z = f(z), r = f(r), H' = (1 - z) h + z H with h = g(X W + (r H) R + b), or g(X W + r (H R + b_R) + b_W)
  gradient: (context, cotangents) =>
    gradientThroughParts(context, cotangents, (parts) => {
      const [, , r, b, , hidden] = parts.inputs;
      const sizes = sizesOf(parts, 3);
      const functions = activationsOf(parts.attributes, sizes.directions, ["Sigmoid", "Tanh"], parts.fail);
      const ofGates = [2 * sizes.hidden, sizes.hidden];
      const perDirection = functions.map((_, d) => {
        const [gates, candidate] = split(ofDirection(r, d), 0, ofGates) as [Value, Value];
        const [input, recurrent] = biasesOf(b, d).map((bias) => (bias ? split(bias, 0, ofGates) : []));
        return { gates: transpose(gates), candidate: transpose(candidate), input: input!, recurrent: recurrent! };
      });
      return unroll(parts, sizes, [hidden], ({ direction, input, state: [h] }) => {
        const at = perDirection[direction]!;
        const [gate, candidate] = functions[direction] as [(x: Value) => Value, (x: Value) => Value];
        const [forGates, forCandidate] = split(input, 1, ofGates) as [Value, Value];
        const summed = plus(plus(add(forGates, matMul(h!, at.gates)), at.input[0]), at.recurrent[0]);
        const [update, reset] = split(gate(summed), 1, [sizes.hidden, sizes.hidden]) as [Value, Value];
        const recurrent =
          parts.attributes.linear_before_reset === 0
            ? plus(matMul(mul(reset, h!), at.candidate), at.recurrent[1])
            : mul(reset, plus(matMul(h!, at.candidate), at.recurrent[1]));
        const next = candidate(plus(add(forCandidate, recurrent), at.input[1]));
        return [add(mul(sub(1, update), next), mul(update, h!))];
      });
    }),
});
