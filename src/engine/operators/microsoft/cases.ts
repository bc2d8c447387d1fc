import type { OperatorCase } from "../../testing/operator-case.js";
import { emit, emitAll } from "../emit.js";
import { BiasAdd } from "./bias-add.js";
import { BiasSoftmax } from "./bias-softmax.js";
import { BiasSplitGelu } from "./bias-split-gelu.js";
import { NhwcConv, NhwcFusedConv } from "./fused.js";
import { GroupNorm, SkipGroupNorm } from "./group-norm.js";

const image = { shape: [2, 3, 4, 6] };
const perChannel = { gamma: { shape: [6] }, beta: { shape: [6] } };

/** Operators of com.microsoft that have no kernel on the CPU, so that there is no original to run; fixtures/golden/newer-operators has their values. */
export const microsoftCases: readonly OperatorCase[] = [
  ...[0, 1].map(
    (activation): OperatorCase => ({
      name: `com.microsoft GroupNorm: activation ${activation}`,
      operator: "com.microsoft.GroupNorm",
      inputs: { x: image, ...perChannel },
      build: ({ x, gamma, beta }) => emit(GroupNorm, [x, gamma, beta], { groups: 3, activation }),
    }),
  ),
  {
    name: "com.microsoft GroupNorm: channels first",
    operator: "com.microsoft.GroupNorm",
    inputs: { x: { shape: [2, 6, 5] }, ...perChannel },
    build: ({ x, gamma, beta }) => emit(GroupNorm, [x, gamma, beta], { groups: 2, channels_last: 0 }),
  },
  ...[
    [2, 3, 4, 6],
    [2, 1, 1, 6],
    [2, 6],
  ].map(
    (skip): OperatorCase => ({
      name: `com.microsoft SkipGroupNorm: skip [${skip.join(", ")}]`,
      operator: "com.microsoft.SkipGroupNorm",
      inputs: { x: image, ...perChannel, skip: { shape: skip }, bias: { shape: [6] } },
      build: ({ x, gamma, beta, skip, bias }) => emitAll(SkipGroupNorm, [x, gamma, beta, skip, bias], { groups: 3 }, 2),
    }),
  ),
  {
    name: "com.microsoft NhwcConv: groups and strides",
    operator: "com.microsoft.NhwcConv",
    inputs: { x: { shape: [2, 5, 6, 4] }, w: { shape: [6, 3, 2, 2] }, b: { shape: [6] } },
    build: ({ x, w, b }) => emit(NhwcConv, [x, w, b], { group: 2, strides: [2, 1], pads: [1, 0, 1, 1] }),
  },
  {
    name: "com.microsoft NhwcFusedConv: activation and summand",
    operator: "com.microsoft.NhwcFusedConv",
    inputs: { x: { shape: [1, 5, 6, 2] }, w: { shape: [3, 2, 3, 3] }, b: { shape: [3] }, z: { shape: [1, 5, 6, 3] } },
    build: ({ x, w, b, z }) => emit(NhwcFusedConv, [x, w, b, z], { activation: "Tanh", pads: [1, 1, 1, 1] }),
  },
  {
    name: "com.microsoft BiasAdd",
    operator: "com.microsoft.BiasAdd",
    inputs: { x: { shape: [2, 3, 4] }, bias: { shape: [4] }, skip: { shape: [2, 3, 4] } },
    build: ({ x, bias, skip }) => emit(BiasAdd, [x, bias, skip]),
  },
  {
    name: "com.microsoft BiasSplitGelu",
    operator: "com.microsoft.BiasSplitGelu",
    inputs: { x: { shape: [2, 3, 8] }, bias: { shape: [8] } },
    build: ({ x, bias }) => emit(BiasSplitGelu, [x, bias]),
  },
  {
    name: "com.microsoft BiasSoftmax: two axes together",
    operator: "com.microsoft.BiasSoftmax",
    inputs: { x: { shape: [2, 3, 4] }, bias: { shape: [1, 3, 4] } },
    build: ({ x, bias }) => emit(BiasSoftmax, [x, bias], { axis: 1 }),
  },
];
