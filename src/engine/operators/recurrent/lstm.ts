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

export interface LstmOptions {
  /** `[D, 8·H]`: biases of the input, then of the recurrence. */
  readonly bias?: Value;
  /** Initial states `[D, N, H]`; default zeros. */
  readonly initialHidden?: Value;
  readonly initialCell?: Value;
  readonly direction?: Direction;
}

/**
 * Long short-term memory over sequences (Hochreiter & Schmidhuber 1997).
 *
 * @param x `[T, N, I]`
 * @param w `[D, 4·H, I]`, gates in the order input, output, forget, cell; D is 2 where it runs in both directions
 * @param r `[D, 4·H, H]`
 * @returns all hidden states `[T, D, N, H]` and the last hidden and cell state `[D, N, H]`
 * @example const { y } = lstm(x, w, r, { bias, direction: "bidirectional" });
 */
export function lstm(x: Value, w: Value, r: Value, options: LstmOptions = {}) {
  const inputs = [x, w, r, options.bias, undefined, options.initialHidden, options.initialCell];
  const [y, hidden, cell] = emitAll(LSTM, inputs, { direction: options.direction, hidden_size: r.shape[2] }, 3);
  return { y: y!, hidden: hidden!, cell: cell! };
}

export const LSTM: Operator = defineOperator({
  name: "LSTM",
  inputs: ["X", "W", "R", "B?", "sequence_lens?", "initial_h?", "initial_c?", "P?"],
  outputs: ["Y?", "Y_h?", "Y_c?"],
  attributes: { ...recurrentAttributes, input_forget: flag(0) },
  infer: (context) => recurrentTypes(context, 4, 2),
  decompose: ({ inputs, attributes, graph }) =>
    attributes.layout === 0
      ? undefined
      : stepsFirst(inputs, [5, 6], (turned) => graph.add(LSTM, turned, { ...attributes, layout: 0 }, { outputCount: 3 })),
  gradient: (context, cotangents) => gradientThroughParts(context, cotangents, (parts) => lstmParts(parts)),
});

type Parts = Parameters<typeof sizesOf>[0] & {
  readonly inputs: readonly [x: Value, w: Value, r: Value, ...rest: readonly (Value | undefined)[]];
  readonly attributes: Parameters<typeof activationsOf>[0] & { readonly input_forget: number };
};

/**
 * The steps of an LSTM as a graph. i, o, f, c of the step's input: i = f(i + Pi C), f = f(f + Pf C), C' = f C + i g(c), o = f(o + Po C'), H' = o h(C').
 *
 * @param recurring what the product with R takes for the hidden state; default that itself
 * @returns all hidden states, the last, and the last memory
 */
export function lstmParts(parts: Parts, recurring: (hidden: Value) => Value = (h) => h): Value[] {
  const [, , r, b, , hidden, cell, peepholes] = parts.inputs;
  const sizes = sizesOf(parts, 4);
  const functions = activationsOf(parts.attributes, sizes.directions, ["Sigmoid", "Tanh", "Tanh"], parts.fail, 2);
  const quarters = [0, 1, 2, 3].map(() => sizes.hidden);
  const perDirection = functions.map((_, d) => ({
    recurrence: transpose(ofDirection(r, d)),
    biases: biasesOf(b, d),
    peepholes: peepholes ? split(ofDirection(peepholes, d), 0, quarters.slice(1)) : [],
  }));
  return unroll(parts, sizes, [hidden, cell], ({ direction, input, state: [h, c] }) => {
    const { recurrence, biases, peepholes: p } = perDirection[direction]!;
    const [gate, candidate, shown] = functions[direction] as [(x: Value) => Value, (x: Value) => Value, (x: Value) => Value];
    const summed = plus(plus(add(input, matMul(recurring(h!), recurrence)), biases[0]), biases[1]);
    const [i, o, f, g] = split(summed, 1, quarters) as [Value, Value, Value, Value];
    const peeped = (v: Value, k: number, memory: Value) => (p[k] ? add(v, mul(p[k], memory)) : v);
    const enter = gate(peeped(i, 0, c!));
    const keep = parts.attributes.input_forget === 0 ? gate(peeped(f, 2, c!)) : sub(1, enter);
    const memory = add(mul(keep, c!), mul(enter, candidate(g)));
    return [mul(gate(peeped(o, 1, memory)), shown(memory)), memory];
  });
}
