import type { OriginalCase } from "../../testing/original-case.js";

const averagePool = (name: string, x: readonly number[], attributes: OriginalCase["attributes"] & object): OriginalCase => ({
  name: `AveragePool of opset 19: ${name}`,
  operator: "AveragePool",
  opset: 19,
  inputs: [x],
  attributes,
});

export const poolingOriginals: readonly OriginalCase[] = [
  averagePool("dilations of 1", [1, 2, 6, 7], { kernel_shape: [3, 2], dilations: [1, 1], pads: [1, 0, 1, 1] }),
  averagePool("1-D", [2, 3, 11], { kernel_shape: [3], dilations: [2], pads: [1, 1] }),
  averagePool("dilated", [1, 2, 9, 8], { kernel_shape: [3, 2], dilations: [2, 3], pads: [1, 1, 2, 0] }),
  averagePool("dilated, padding counted", [1, 2, 9, 8], {
    kernel_shape: [3, 2],
    dilations: [2, 3],
    pads: [1, 1, 2, 0],
    count_include_pad: 1,
  }),
  averagePool("dilated, stride 2, ceil", [1, 2, 9, 8], {
    kernel_shape: [3, 2],
    dilations: [2, 2],
    strides: [2, 2],
    pads: [1, 0, 1, 1],
    ceil_mode: 1,
  }),
  averagePool("dilated, stride 2, ceil, padding counted", [1, 2, 9, 8], {
    kernel_shape: [3, 2],
    dilations: [2, 2],
    strides: [3, 2],
    pads: [1, 0, 1, 1],
    ceil_mode: 1,
    count_include_pad: 1,
  }),
  averagePool("dilated 3-D", [1, 2, 6, 7, 5], { kernel_shape: [2, 3, 2], dilations: [2, 1, 3], strides: [1, 2, 1] }),
  averagePool("dilated, VALID", [1, 2, 6, 7], { kernel_shape: [2, 3], dilations: [2, 1], auto_pad: "VALID" }),
];
