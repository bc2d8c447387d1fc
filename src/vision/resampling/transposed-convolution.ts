import { nodeAs } from "../../engine/graph/operator.js";
import { ConvTranspose } from "../../engine/operators/convolution/conv-transpose.js";
import { add, reshape } from "../../engine/operators/index.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { Left, type UpForm } from "./form.js";

/** A transposed convolution of stride 2 or more. */
export const transposedConvolution: UpForm = {
  name: "transposed convolution",
  direction: "up",
  find: (node) => {
    const layer = nodeAs(ConvTranspose, node);
    if (layer?.inputs[0].shape.length !== 4) return undefined;
    const [before, after] = [layer.inputs[0], layer.outputs[0]!];
    const factor = [2, 3].map((axis) => after.shape[axis]! / before.shape[axis]!) as [number, number];
    if (!factor.every((f) => Number.isInteger(f) && f >= 1) || factor.every((f) => f === 1)) return undefined;
    return { factor, before, after };
  },
  transposed: (node) => {
    const { attributes, inputs } = nodeAs(ConvTranspose, node)!;
    const [x, w, bias] = inputs;
    const { factor } = transposedConvolution.find(node)!;
    const { strides, pads, dilations, auto_pad, output_shape, group } = attributes;
    if (factor[0] !== 2 || factor[1] !== 2 || strides?.some((s) => s !== 2))
      return new Left(`it enlarges by ${factor.join(" and ")}, and a large kernel doubles`);
    const [, , rows, columns] = w.shape;
    const begin = pads?.[0] ?? 0;
    if (
      auto_pad !== "NOTSET" ||
      output_shape ||
      dilations?.some((d) => d !== 1) ||
      rows !== columns ||
      (pads?.[1] ?? 0) !== begin
    )
      return new Left("its kernel is not square, is dilated, or is placed by its output's shape");
    if (!w.constant || w.type !== "float32") return new Left("its kernel is no float32 constant of the file");
    return {
      x,
      weight: w.constant as Tensor<"float32">,
      groups: group,
      pad: begin,
      finish: (y) => (bias ? add(y, reshape(bias, [1, bias.shape[0]!, 1, 1])) : y),
    };
  },
};
