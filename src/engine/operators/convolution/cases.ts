import type { OperatorCase } from "../../testing/operator-case.js";
import { type ConvOptions, conv } from "./conv.js";
import { type ConvTransposeOptions, convTranspose } from "./conv-transpose.js";

type Sized<T> = Omit<T, "bias"> & { readonly x: readonly number[]; readonly w: readonly number[]; readonly bias?: number };

const forward: Readonly<Record<string, Sized<ConvOptions>>> = {
  "1-D": { x: [2, 3, 9], w: [4, 3, 3], bias: 4, pads: [1, 1] },
  "1-D, stride 3, rest untouched": { x: [1, 2, 12], w: [3, 2, 2], strides: [3] },
  "3x3, same": { x: [2, 3, 6, 5], w: [4, 3, 3, 3], bias: 4, pads: [1, 1, 1, 1] },
  "3x3, valid": { x: [1, 3, 6, 5], w: [2, 3, 3, 3] },
  "stride 2, asymmetric pads": { x: [2, 2, 8, 9], w: [3, 2, 3, 4], strides: [2, 2], pads: [0, 2, 1, 1] },
  "strides 1 and 3": { x: [1, 2, 5, 10], w: [3, 2, 2, 3], strides: [1, 3], pads: [1, 0, 0, 1] },
  "stride 1, pads wider than the window": { x: [1, 2, 4, 4], w: [3, 2, 2, 2], pads: [2, 3, 2, 1] },
  "stride 4, kernel 2: most inputs untouched": { x: [1, 2, 11, 8], w: [2, 2, 2, 2], strides: [4, 4] },
  "stride 3, kernel 1": { x: [2, 3, 8, 7], w: [4, 3, 1, 1], bias: 4, strides: [3, 3] },
  "1x1": { x: [2, 3, 4, 5], w: [4, 3, 1, 1], bias: 4 },
  "dilations 2 and 3": { x: [1, 2, 9, 11], w: [3, 2, 3, 3], dilations: [2, 3], pads: [2, 3, 2, 3] },
  "dilation 2, stride 2": { x: [1, 2, 10, 9], w: [3, 2, 3, 2], dilations: [2, 2], strides: [2, 2], pads: [1, 1, 2, 0] },
  grouped: { x: [2, 4, 5, 6], w: [6, 2, 3, 3], bias: 6, group: 2, pads: [1, 1, 1, 1] },
  "grouped, stride 2, dilation 2": { x: [2, 4, 9, 10], w: [6, 2, 2, 3], group: 2, strides: [2, 2], dilations: [2, 2] },
  depthwise: { x: [2, 4, 6, 6], w: [4, 1, 3, 3], bias: 4, group: 4, pads: [1, 1, 1, 1] },
  "depthwise, stride 2": { x: [2, 3, 9, 8], w: [3, 1, 5, 5], group: 3, strides: [2, 2], pads: [2, 2, 2, 2] },
  "depthwise, two outputs for each channel": { x: [1, 3, 6, 7], w: [6, 1, 3, 3], group: 3, pads: [1, 1, 1, 1] },
  "many channels": { x: [2, 32, 4, 5], w: [3, 32, 3, 3], bias: 3, pads: [1, 1, 1, 1] },
  "many channels, stride 2, dilation 2, rest untouched": {
    x: [1, 33, 8, 9],
    w: [2, 33, 2, 2],
    strides: [2, 3],
    dilations: [2, 1],
    pads: [1, 0, 0, 0],
  },
  "many channels, 3-D": { x: [1, 32, 2, 3, 3], w: [2, 32, 2, 2, 1], pads: [0, 1, 0, 0, 0, 0] },
  "more than 49 taps": { x: [1, 2, 9, 10], w: [3, 2, 8, 8], pads: [4, 4, 3, 3] },
  "more than 49 taps, stride 3": { x: [1, 2, 16, 12], w: [2, 2, 8, 8], strides: [3, 3], pads: [2, 0, 0, 1] },
  "auto_pad SAME_UPPER": { x: [1, 2, 7, 8], w: [3, 2, 3, 4], strides: [2, 3], autoPad: "SAME_UPPER" },
  "auto_pad SAME_LOWER": { x: [1, 2, 7, 8], w: [3, 2, 3, 4], strides: [2, 3], autoPad: "SAME_LOWER" },
  "auto_pad SAME_UPPER, stride wider than the window": {
    x: [1, 16, 8, 9],
    w: [16, 16, 1, 1],
    strides: [2, 3],
    autoPad: "SAME_UPPER",
  },
  "auto_pad VALID": { x: [1, 2, 7, 8], w: [3, 2, 3, 4], strides: [2, 3], autoPad: "VALID" },
  "3-D": { x: [1, 2, 4, 5, 4], w: [3, 2, 2, 3, 2], bias: 3, pads: [1, 1, 0, 0, 1, 1] },
  "3-D, grouped, strided": { x: [1, 4, 5, 6, 4], w: [4, 2, 2, 3, 2], group: 2, strides: [2, 2, 1], pads: [0, 1, 1, 0, 1, 0] },
};

const transposed: Readonly<Record<string, Sized<ConvTransposeOptions>>> = {
  "1-D": { x: [2, 3, 5], w: [3, 2, 4], bias: 2, strides: [2], pads: [1, 1] },
  "stride 2, kernel 2": { x: [2, 3, 4, 3], w: [3, 2, 2, 2], bias: 2, strides: [2, 2] },
  "stride 1, pads": { x: [1, 2, 5, 6], w: [2, 3, 3, 3], pads: [1, 0, 2, 1] },
  "stride 2, output_padding": { x: [1, 2, 4, 5], w: [2, 3, 3, 3], strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 1] },
  "stride 3, kernel 2: gaps": { x: [1, 2, 4, 3], w: [2, 2, 2, 2], strides: [3, 3], outputPadding: [2, 0] },
  "stride 4, kernel 7, asymmetric pads": { x: [1, 2, 4, 3], w: [2, 2, 7, 7], strides: [4, 4], pads: [3, 1, 0, 2] },
  output_shape: { x: [1, 2, 4, 5], w: [2, 3, 3, 3], strides: [2, 2], outputShape: [8, 9] },
  "output_shape larger than reached": { x: [1, 2, 3, 3], w: [2, 2, 2, 2], strides: [3, 3], outputShape: [9, 9] },
  "auto_pad SAME_UPPER": { x: [1, 2, 4, 5], w: [2, 3, 3, 4], strides: [2, 2], autoPad: "SAME_UPPER" },
  "auto_pad SAME_LOWER": { x: [1, 2, 4, 5], w: [2, 3, 3, 4], strides: [2, 2], autoPad: "SAME_LOWER" },
  grouped: { x: [2, 4, 4, 4], w: [4, 3, 3, 3], bias: 6, group: 2, strides: [2, 2], pads: [1, 1, 1, 1] },
  depthwise: { x: [2, 3, 5, 5], w: [3, 1, 3, 3], group: 3, pads: [1, 1, 1, 1] },
  "grouped, dilation 2": { x: [1, 4, 5, 4], w: [4, 2, 3, 2], group: 2, dilations: [2, 2] },
  "3-D": { x: [1, 2, 3, 3, 2], w: [2, 2, 2, 3, 2], strides: [2, 1, 2] },
};

export const convolutionCases: readonly OperatorCase[] = [
  ...Object.entries(forward).map(
    ([name, { x, w, bias, ...options }]) =>
      ({
        name: `Conv: ${name}`,
        operator: "Conv",
        inputs: { x: { shape: x }, w: { shape: w }, ...(bias === undefined ? {} : { bias: { shape: [bias] } }) },
        build: (v) => conv(v.x!, v.w!, { ...options, ...(v.bias && { bias: v.bias }) }),
      }) satisfies OperatorCase,
  ),
  ...Object.entries(transposed).map(
    ([name, { x, w, bias, ...options }]) =>
      ({
        name: `ConvTranspose: ${name}`,
        operator: "ConvTranspose",
        inputs: { x: { shape: x }, w: { shape: w }, ...(bias === undefined ? {} : { bias: { shape: [bias] } }) },
        build: (v) => convTranspose(v.x!, v.w!, { ...options, ...(v.bias && { bias: v.bias }) }),
      }) satisfies OperatorCase,
  ),
];
