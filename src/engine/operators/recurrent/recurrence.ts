import type { Value, ValueType } from "../../graph/graph.js";
import { flag, float, floats, int, string, strings } from "../../graph/operator.js";
import { tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { concat } from "../layout/concat.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { split } from "../layout/split.js";
import { transpose } from "../layout/transpose.js";
import { matMul } from "../linear/mat-mul.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";
import { zerosLike } from "../zeros.js";

/** What RNN, GRU and LSTM have in common: T steps over N sequences of I numbers, a state of H numbers, one or two directions D. */

export type Direction = "forward" | "reverse" | "bidirectional";

export const recurrentAttributes = {
  activation_alpha: floats(),
  activation_beta: floats(),
  activations: strings(),
  clip: float(),
  direction: string<Direction>("forward", ["forward", "reverse", "bidirectional"]),
  hidden_size: int(),
  layout: flag(0),
};

export interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly hidden: number;
  readonly directions: number;
}

interface Context {
  readonly inputs: readonly [x: Value, w: Value, r: Value, b: Value | undefined, lengths: Value | undefined, ...unknown[]];
  readonly attributes: {
    readonly clip: number | undefined;
    readonly direction: Direction;
    readonly hidden_size: number | undefined;
    readonly layout: number;
  };
  readonly fail: (message: string) => never;
}

/** Checks the operands of a node with so many gates; `layout` 1 puts the batch first. */
export function sizesOf({ inputs: [x, w, r, b], attributes, fail }: Context, gates: number): Sizes {
  const directions = attributes.direction === "bidirectional" ? 2 : 1;
  const [first, second, width] = x.shape;
  if (x.shape.length !== 3) fail("X must be [steps, batch, input]");
  if (attributes.clip !== undefined && !(attributes.clip > 0)) fail(`its clip is ${attributes.clip}, where it must be above 0`);
  const hidden = r.shape[2] ?? 0;
  if (attributes.hidden_size !== undefined && attributes.hidden_size !== hidden)
    fail(`hidden_size ${attributes.hidden_size} is not that of R, ${hidden}`);
  const check = (name: string, v: Value | undefined, shape: readonly number[]): void => {
    if (v && (v.shape.length !== shape.length || v.shape.some((d, i) => d !== shape[i])))
      fail(`${name} must be [${shape.join(", ")}]`);
  };
  check("W", w, [directions, gates * hidden, width!]);
  check("R", r, [directions, gates * hidden, hidden]);
  check("B", b, [directions, 2 * gates * hidden]);
  const [steps, batch] = attributes.layout === 0 ? [first!, second!] : [second!, first!];
  return { steps, batch, hidden, directions };
}

/** Types of the outputs: all steps, then the last of each of `states` states. */
export function recurrentTypes(context: Context, gates: number, states: number): ValueType[] {
  const { steps, batch, hidden, directions } = sizesOf(context, gates);
  const type = context.inputs[0].type;
  const rows = context.attributes.layout === 0;
  const last = { type, shape: rows ? [directions, batch, hidden] : [batch, directions, hidden] };
  return [
    { type, shape: rows ? [steps, directions, batch, hidden] : [batch, steps, directions, hidden] },
    ...Array.from({ length: states }, () => last),
  ];
}

/**
 * ONNX Runtime has no kernels for `layout` 1, where the batch comes first: the same node in the other layout, between transpositions.
 *
 * @param states which of the inputs are states
 */
export function stepsFirst(
  inputs: readonly (Value | undefined)[],
  states: readonly number[],
  node: (inputs: readonly (Value | undefined)[]) => readonly Value[],
): readonly Value[] {
  const turned = inputs.map((v, i) => (v && (i === 0 || states.includes(i)) ? transpose(v, [1, 0, 2]) : v));
  const [y, ...last] = node(turned);
  return [transpose(y!, [2, 0, 1, 3]), ...last.map((v) => transpose(v, [1, 0, 2]))];
}

/** One step in one direction. */
export interface Step {
  readonly direction: number;
  /** `X_t Wᵀ`, without bias: `[N, gates·H]`. */
  readonly input: Value;
  /** `[N, H]` each. */
  readonly state: readonly Value[];
}

/**
 * Runs the steps one after the other, as a graph without a loop. Where a sequence has ended its state stays and its output is 0; going
 * backwards, it starts at its own end.
 *
 * @param initial for each state `[D, N, H]`, zeros where there is none
 * @returns the outputs of the node
 */
export function unroll(
  context: Context,
  sizes: Sizes,
  initial: readonly (Value | undefined)[],
  step: (at: Step) => readonly Value[],
): Value[] {
  const {
    inputs: [x, w, , , lengths],
    attributes,
  } = context;
  const { steps, batch, hidden, directions } = sizes;
  const zeros = zerosLike(x, [batch, hidden]);
  const ends = lengths && reshape(cast(lengths, "int32"), [batch, 1]);
  const running = (t: number): Value | undefined => ends && greater(ends, x.graph.constant(tensor("int32", [], [t])));
  const perDirection = Array.from({ length: directions }, (_, direction) => {
    const projected = matMul(x, transpose(ofDirection(w, direction)));
    const inputs = split(
      projected,
      0,
      Array.from({ length: steps }, () => 1),
    );
    let state: readonly Value[] = initial.map((v) => (v ? ofDirection(v, direction) : zeros));
    const outputs: Value[] = [];
    const backwards = attributes.direction === "reverse" || direction === 1;
    for (let i = 0; i < steps; i++) {
      const t = backwards ? steps - 1 - i : i;
      const next = step({ direction, input: reshape(inputs[t]!, projected.shape.slice(1)), state });
      const goesOn = running(t);
      state = goesOn ? next.map((v, k) => where(goesOn, v, state[k]!)) : next;
      outputs[t] = reshape(goesOn ? where(goesOn, next[0]!, zeros) : next[0]!, [1, 1, batch, hidden]);
    }
    return { outputs: concat(outputs, 0), state };
  });
  const last = initial.map((_, k) =>
    concat(
      perDirection.map(({ state }) => reshape(state[k]!, [1, batch, hidden])),
      0,
    ),
  );
  return [
    concat(
      perDirection.map(({ outputs }) => outputs),
      1,
    ),
    ...last,
  ];
}

/** The part of a tensor that belongs to one direction, without that axis. */
export function ofDirection(v: Value, direction: number): Value {
  const part = v.shape[0] === 1 ? v : slice(v, [direction], [direction + 1], { axes: [0] });
  return reshape(part, v.shape.slice(1));
}

/** Biases of input and recurrence for one direction, `[gates·H]` each; undefined where the node has none. */
export function biasesOf(b: Value | undefined, direction: number): readonly [Value | undefined, Value | undefined] {
  if (!b) return [undefined, undefined];
  const [input, recurrent] = split(ofDirection(b, direction), 0, [b.shape[1]! / 2, b.shape[1]! / 2]);
  return [input, recurrent];
}

export const plus = (a: Value, b: Value | undefined): Value => (b ? add(a, b) : a);
