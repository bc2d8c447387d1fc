import { AveragePool, averagePool } from "../../engine/operators/pooling/average-pool.js";
import { type PoolContext, poolWindows } from "../../engine/operators/pooling/pool.js";
import { type DownForm, Left } from "./form.js";
import { accepted, fullEnd, strides } from "./window.js";

/** Average pooling of stride 2 or more: a low-pass already, if a poor one. At stride 1 it takes the mean around every position. */
export const stridedAveragePool: DownForm = {
  name: "average pooling",
  direction: "down",
  find: (node) => {
    const [x] = node.inputs;
    if (node.operator !== AveragePool || x?.shape.length !== 4) return undefined;
    return strides(poolWindows(contextOf(node.inputs, node.attributes)), x, node.outputs[0]!);
  },
  undecimated: (node) => {
    const [x] = node.inputs;
    const axes = poolWindows(contextOf(node.inputs, node.attributes));
    if (axes.some((a) => fullEnd(a) < 0 || fullEnd(a) >= a.kernel))
      return new Left("at stride 1 some of its windows would lie in the padding alone");
    return averagePool(
      x!,
      axes.map((a) => a.kernel),
      {
        pads: [...axes.map((a) => a.begin), ...axes.map(fullEnd)],
        padding: node.attributes.count_include_pad ? "counted" : "not counted",
      },
    );
  },
};

const contextOf = (inputs: unknown, attributes: unknown): PoolContext =>
  ({ inputs, attributes, fail: accepted }) as unknown as PoolContext;
