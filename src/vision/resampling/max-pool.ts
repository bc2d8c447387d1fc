import { nodeAs } from "../../engine/graph/operator.js";
import { MaxPool, maxPool } from "../../engine/operators/pooling/max-pool.js";
import { poolWindows } from "../../engine/operators/pooling/pool.js";
import { type DownForm, Left } from "./form.js";
import { accepted, keepingEnds, strides } from "./window.js";

/** Max pooling of stride 2 or more. At stride 1 it takes the largest value around every position. */
export const stridedMaxPool: DownForm = {
  name: "max pooling",
  direction: "down",
  find: (node) => {
    const layer = nodeAs(MaxPool, node);
    if (layer?.inputs[0].shape.length !== 4) return undefined;
    return strides(poolWindows({ ...layer, fail: accepted }), layer.inputs[0], layer.outputs[0]!);
  },
  undecimated: (node, sides) => {
    const layer = nodeAs(MaxPool, node)!;
    if (layer.requested[1]) return new Left("something reads the positions of its maxima, which a low-pass has none of");
    const axes = poolWindows({ ...layer, fail: accepted });
    const ends = keepingEnds(axes, sides, layer.attributes);
    if (ends instanceof Left) return ends;
    if (axes.some((a, i) => ends[i]! < 0 || ends[i]! >= a.kernel))
      return new Left("at stride 1 some of its windows would lie in the padding alone");
    return maxPool(
      layer.inputs[0],
      axes.map((a) => a.kernel),
      {
        pads: [...axes.map((a) => a.begin), ...ends],
        ...(layer.attributes.dilations && { dilations: layer.attributes.dilations }),
      },
    );
  },
};
