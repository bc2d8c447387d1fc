import { type DataType, type Tensor, tensor } from "../../tensor/tensor.js";
import type { OriginalCase } from "../../testing/original-case.js";

const [steps, batch, width, hidden] = [4, 2, 3, 2];

interface Recurrent {
  readonly gates: number;
  readonly outputs?: readonly (DataType | undefined)[];
  readonly bias?: true;
  readonly lengths?: Tensor;
  /** Initial states. */
  readonly states?: number;
  readonly peepholes?: true;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

const recurrent = (operator: string, name: string, of: Recurrent): OriginalCase => {
  const { gates, attributes = {} } = of;
  const directions = attributes.direction === "bidirectional" ? 2 : 1;
  const states = operator === "LSTM" ? 2 : 1;
  return {
    name: `${operator}: ${name}`,
    operator,
    opset: 14,
    inputs: [
      [steps, batch, width],
      [directions, gates * hidden, width],
      [directions, gates * hidden, hidden],
      of.bias && [directions, 2 * gates * hidden],
      of.lengths && { constant: of.lengths },
      ...Array.from({ length: states }, (_, i) => (i < (of.states ?? 0) ? [directions, batch, hidden] : undefined)),
      ...(of.peepholes ? [[directions, 3 * hidden]] : []),
    ],
    attributes: { hidden_size: hidden, ...attributes },
    outputs: of.outputs ?? Array.from({ length: states + 1 }, () => "float32" as const),
    tolerance: 1e-4,
    step: 1e-3,
  };
};

const lengths = tensor("int32", [batch], [4, 2]);
const both = { direction: "bidirectional" };
const directions = ["forward", "reverse", "bidirectional"];

export const recurrentOriginals: readonly OriginalCase[] = [
  ...(
    [
      ["LSTM", 4],
      ["GRU", 3],
      ["RNN", 1],
    ] as const
  ).flatMap(([operator, gates]) => [
    ...directions.flatMap((direction) => [
      recurrent(operator, direction, { gates, attributes: { direction } }),
      recurrent(operator, `${direction}, bias, initial states, lengths`, {
        gates,
        bias: true,
        states: 2,
        lengths,
        attributes: { direction },
      }),
    ]),
    recurrent(operator, "last state only", { gates, bias: true, outputs: [undefined, "float32"] }),
    recurrent(operator, "all states only", { gates, bias: true, outputs: ["float32"] }),
    recurrent(operator, "clipped", { gates, bias: true, attributes: { clip: 0.4 } }),
    // states beyond the bound: only what goes into a gate is clipped
    recurrent(operator, "clipped far", { gates, bias: true, states: 2, attributes: { clip: 0.1 } }),
  ]),
  recurrent("LSTM", "peepholes", { gates: 4, bias: true, states: 2, peepholes: true }),
  recurrent("LSTM", "peepholes, both directions, lengths", {
    gates: 4,
    lengths,
    states: 2,
    peepholes: true,
    attributes: both,
  }),
  recurrent("LSTM", "input and forget gate coupled", { gates: 4, bias: true, attributes: { input_forget: 1 } }),
  recurrent("LSTM", "other activations", {
    gates: 4,
    bias: true,
    attributes: {
      activations: ["HardSigmoid", "ScaledTanh", "Softsign"],
      activation_alpha: [0.3, 1.2],
      activation_beta: [0.45, 0.7],
    },
  }),
  recurrent("LSTM", "other activations in both directions", {
    gates: 4,
    bias: true,
    attributes: {
      ...both,
      activations: ["Sigmoid", "Softplus", "Elu", "HardSigmoid", "Affine", "Tanh"],
      activation_alpha: [0.8, 0.25, 0.9],
      activation_beta: [0.55, 0.1],
    },
  }),
  ...directions.map((direction) =>
    recurrent("GRU", `${direction}, linear before reset`, {
      gates: 3,
      bias: true,
      states: 1,
      attributes: { direction, linear_before_reset: 1 },
    }),
  ),
  recurrent("GRU", "other activations", {
    gates: 3,
    bias: true,
    attributes: { activations: ["Affine", "ScaledTanh"], activation_alpha: [0.3, 1.2], activation_beta: [0.4, 0.7] },
  }),
  recurrent("GRU", "LeakyRelu", {
    gates: 3,
    bias: true,
    attributes: { activations: ["Sigmoid", "LeakyRelu"], activation_alpha: [0.2] },
  }),
  recurrent("GRU", "linear before reset, lengths", { gates: 3, bias: true, lengths, attributes: { linear_before_reset: 1 } }),
  recurrent("RNN", "Softsign and Affine", {
    gates: 1,
    bias: true,
    attributes: { ...both, activations: ["Softsign", "Affine"], activation_alpha: [0.7], activation_beta: [0.1] },
  }),
];
