import type { Node } from "../../engine/graph/graph.js";
import { nodeAs } from "../../engine/graph/operator.js";
import { adjointWindows, ConvTranspose } from "../../engine/operators/convolution/conv-transpose.js";
import { add, pad, reshape } from "../../engine/operators/index.js";
import { type AxisWindow, extent } from "../../engine/operators/window.js";
import { type FloatType, isFloat, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { Left, type UpForm } from "./form.js";
import { part } from "./stencil.js";
import { accepted, remedy } from "./window.js";

/** A transposed convolution of stride 2 or more. */
export const transposedConvolution: UpForm = {
  name: "transposed convolution",
  direction: "up",
  find: (node) => {
    const layer = nodeAs(ConvTranspose, node);
    if (layer?.inputs[0].shape.length !== 4) return undefined;
    const [rows, columns] = windowsOf(node);
    if (rows.stride === 1 && columns.stride === 1) return undefined;
    return { factor: [rows.stride, columns.stride], before: layer.inputs[0], after: layer.outputs[0]! };
  },
  reads: (node) => [node.inputs[1]!],
  transposed: (node, sides) => {
    const { attributes, inputs } = nodeAs(ConvTranspose, node)!;
    // A size that the attributes name is one size, whatever comes.
    if (sides === "any" && attributes.output_shape !== undefined) return new Left(`its size is fixed (output_shape); ${remedy}`);
    const [x, w, bias] = inputs;
    if (!w.constant || !isFloat(w.type)) return new Left("its kernel is computed as the model runs");
    const [rows, columns] = windowsOf(node);
    // Rows and columns beyond s H come from as many zeros behind the map.
    const behind = [rows, columns].map((a) => Math.max(0, Math.ceil(a.input / a.stride) - a.output));
    return {
      x: behind.some((n) => n > 0) ? pad(x, [0, 0, 0, 0, 0, 0, ...behind]) : x,
      weight: dense(w.constant as Tensor<FloatType>, rows, columns),
      groups: attributes.group,
      factor: [rows.stride, columns.stride],
      pad: [rows.begin, columns.begin],
      finish: (y) => {
        const own = part(y, [0, 0], [rows.input, columns.input]);
        return bias ? add(own, reshape(bias, [1, bias.shape[0]!, 1, 1])) : own;
      },
    };
  },
};

/** Of the convolution that it transposes: `input` is what it yields. */
function windowsOf(node: Node): readonly [AxisWindow, AxisWindow] {
  const { inputs, attributes } = nodeAs(ConvTranspose, node)!;
  const [x, w] = inputs;
  return adjointWindows(x.shape.slice(2), w.shape.slice(2), attributes, accepted) as [AxisWindow, AxisWindow];
}

/** A dilated kernel with its gaps written out as zeros. */
function dense(weight: Tensor<FloatType>, rows: AxisWindow, columns: AxisWindow): Tensor<FloatType> {
  if (rows.dilation === 1 && columns.dilation === 1) return weight;
  const [inputs, outputs, h, w] = weight.shape as [number, number, number, number];
  const [height, width] = [extent(rows), extent(columns)];
  const values = new Float64Array(inputs * outputs * height * width);
  toNumbers(weight).forEach((v, i) => {
    const [plane, u, t] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
    values[(plane * height + u * rows.dilation) * width + t * columns.dilation] = v;
  });
  return tensor(weight.type, [inputs, outputs, height, width], values);
}
