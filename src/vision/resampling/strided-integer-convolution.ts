import type { Node, Value } from "../../engine/graph/graph.js";
import { nodeAs } from "../../engine/graph/operator.js";
import { ConvInteger, convInteger } from "../../engine/operators/convolution/conv-integer.js";
import { Cast, cast } from "../../engine/operators/elementwise/cast.js";
import { DynamicQuantizeLinear } from "../../engine/operators/quantization/dynamic-quantize-linear.js";
import { type AxisWindow, windows } from "../../engine/operators/window.js";
import { isFloat } from "../../engine/tensor/tensor.js";
import { type DownForm, Left } from "./form.js";
import { accepted, keepingEnds, strides } from "./window.js";

/**
 * A convolution of 8-bit integers of stride 2 or more and the Cast that makes floating-point numbers of its sums, as ONNX Runtime's dynamic quantization writes
 * it. At stride 1 it takes the same weights.
 */
export const stridedIntegerConvolution: DownForm = {
  name: "strided integer convolution",
  direction: "down",
  find: (node) => {
    const sums = sumsOf(node);
    if (!sums || sums.inputs[0]!.shape.length !== 4) return undefined;
    return strides(windowsOf(sums), mapOf(sums.inputs[0]!), node.outputs[0]!);
  },
  undecimated: (node, sides) => {
    const sums = sumsOf(node)!;
    const [x, w, xZero, wZero] = sums.inputs;
    const { attributes } = nodeAs(ConvInteger, sums)!;
    const axes = windowsOf(sums);
    const ends = keepingEnds(axes, sides, attributes);
    if (ends instanceof Left) return ends;
    if (ends.some((end) => end < 0)) return new Left("its windows leave rows or columns of the map out");
    const kept = convInteger(
      x!,
      w!,
      { ...(xZero && { x: xZero }), ...(wZero && { w: wZero }) },
      { pads: [...axes.map((a) => a.begin), ...ends], dilations: axes.map((a) => a.dilation), group: attributes.group },
    );
    return cast(kept, node.outputs[0]!.type);
  },
};

/** The ConvInteger whose sums a Cast turns into floating-point numbers. */
function sumsOf(node: Node): Node | undefined {
  const layer = nodeAs(Cast, node);
  const sums = layer && isFloat(layer.outputs[0].type) ? layer.inputs[0].node : undefined;
  return sums && nodeAs(ConvInteger, sums) ? sums : undefined;
}

/** The map in floating point that was quantized to these 8 bits, where it was on the way. */
const mapOf = (x: Value): Value => (x.node && nodeAs(DynamicQuantizeLinear, x.node)?.inputs[0]) ?? x;

function windowsOf(sums: Node): AxisWindow[] {
  const { inputs, attributes } = nodeAs(ConvInteger, sums)!;
  const [x, w] = inputs;
  return windows(x.shape.slice(2), w.shape.slice(2), attributes, accepted);
}
