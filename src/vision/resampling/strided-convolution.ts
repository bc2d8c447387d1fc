import type { Node } from "../../engine/graph/graph.js";
import { nodeAs } from "../../engine/graph/operator.js";
import { Conv, conv } from "../../engine/operators/convolution/conv.js";
import { type AxisWindow, windows } from "../../engine/operators/window.js";
import { type DownForm, Left } from "./form.js";
import { accepted, keepingEnds, strides } from "./window.js";

/** A convolution of stride 2 or more. At stride 1 it takes the same weights. */
export const stridedConvolution: DownForm = {
  name: "strided convolution",
  direction: "down",
  find: (node) => {
    const layer = nodeAs(Conv, node);
    return layer?.inputs[0].shape.length === 4 ? strides(windowsOf(node), layer.inputs[0], layer.outputs[0]) : undefined;
  },
  undecimated: (node, sides) => {
    const [x, weight, bias] = node.inputs;
    const axes = windowsOf(node);
    const ends = keepingEnds(axes, sides, nodeAs(Conv, node)!.attributes);
    if (ends instanceof Left) return ends;
    if (ends.some((end) => end < 0)) return new Left("its windows leave rows or columns of the map out");
    return conv(x!, weight!, {
      ...(bias && { bias }),
      pads: [...axes.map((a) => a.begin), ...ends],
      dilations: axes.map((a) => a.dilation),
      group: nodeAs(Conv, node)!.attributes.group,
    });
  },
};

function windowsOf(node: Node): AxisWindow[] {
  const { inputs, attributes } = nodeAs(Conv, node)!;
  const [x, w] = inputs;
  return windows(x.shape.slice(2), w.shape.slice(2), attributes, accepted);
}
