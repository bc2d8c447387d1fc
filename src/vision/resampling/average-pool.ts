import { AveragePool, averagePool } from "../../engine/operators/pooling/average-pool.js";
import { type PoolContext, poolWindows } from "../../engine/operators/pooling/pool.js";
import { type DownForm, Left } from "./form.js";
import { accepted, keepingEnds, strides } from "./window.js";

/** Average pooling of stride 2 or more: a low-pass already, if a poor one. At stride 1 it takes the mean around every position. */
export const stridedAveragePool: DownForm = {
  name: "average pooling",
  direction: "down",
  find: (node) => {
    const [x] = node.inputs;
    if (node.operator !== AveragePool || x?.shape.length !== 4) return undefined;
    return strides(poolWindows(contextOf(node.inputs, node.attributes)), x, node.outputs[0]!);
  },
  undecimated: (node, sides) => {
    const [x] = node.inputs;
    const axes = poolWindows(contextOf(node.inputs, node.attributes));
    const ends = keepingEnds(axes, sides, contextOf(node.inputs, node.attributes).attributes);
    if (ends instanceof Left) return ends;
    if (axes.some((a, i) => ends[i]! < 0 || ends[i]! >= a.kernel))
      return new Left("at stride 1 some of its windows would lie in the padding alone");
    return averagePool(
      x!,
      axes.map((a) => a.kernel),
      {
        pads: [...axes.map((a) => a.begin), ...ends],
        padding: node.attributes.count_include_pad ? "counted" : "not counted",
      },
    );
  },
};

const contextOf = (inputs: unknown, attributes: unknown): PoolContext =>
  ({ inputs, attributes, fail: accepted }) as unknown as PoolContext;
