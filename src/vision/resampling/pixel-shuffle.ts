import type { Node, Value } from "../../engine/graph/graph.js";
import { nodeAs } from "../../engine/graph/operator.js";
import { Conv } from "../../engine/operators/convolution/conv.js";
import { add, expand, reshape, spaceToDepth, transpose } from "../../engine/operators/index.js";
import { DepthToSpace, depthToSpace } from "../../engine/operators/layout/depth-to-space.js";
import { windows } from "../../engine/operators/window.js";
import { type FloatType, isFloat, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import type { Sides, Transposed, UpForm } from "./form.js";
import { accepted } from "./window.js";

/** A pixel shuffle by r, with the convolution before it where there is one whose weights can be taken over. */
export const pixelShuffle: UpForm = {
  name: "pixel shuffle",
  direction: "up",
  find: (node) => {
    const layer = nodeAs(DepthToSpace, node);
    if (!layer) return undefined;
    const b = layer.attributes.blocksize;
    return b > 1 ? { factor: [b, b], before: layer.inputs[0], after: layer.outputs[0]! } : undefined;
  },
  transposed: (node, sides) => afterConvolution(node, sides) ?? alone(node),
};

/**
 * Output pixel r i + a of channel c is the convolution's channel (c, a) at i, so tap u of that channel, which reads input i + u - p, is tap
 * a - r (u - p) of a transposed kernel.
 */
function afterConvolution(node: Node, sides: Sides): Transposed | undefined {
  const { attributes, inputs, outputs } = nodeAs(DepthToSpace, node)!;
  const layer = nodeAs(Conv, inputs[0]);
  if (!layer) return undefined;
  const { group } = layer.attributes;
  const [x, w, bias] = layer.inputs;
  const axes = windows(x.shape.slice(2), w.shape.slice(2), layer.attributes, accepted);
  const [rows, columns] = axes;
  const r = attributes.blocksize;
  const channels = outputs[0]!.shape[1]!;
  const crd = attributes.mode === "CRD";
  const keepsSize = axes.every((a) => a.stride === 1 && a.dilation === 1 && a.output === a.input);
  // The r² channels that become one must lie in one group.
  const together = group === 1 || (crd && channels % group === 0);
  if (!keepsSize || !together || !w.constant || !isFloat(w.type)) return undefined;
  const padding = [rows!.begin, columns!.begin] as const;
  return {
    x,
    weight: interleaved(w.constant as Tensor<FloatType>, { r, channels, group, padding, crd }),
    groups: group,
    factor: [r, r],
    pad: [r * (rows!.kernel - 1 - padding[0]), r * (columns!.kernel - 1 - padding[1])],
    finish: (y) =>
      bias ? (sides === "these" ? add(y, shuffledBias(bias, x, channels, node)) : biased(y, bias, channels, node)) : y,
  };
}

/** The bias of each pixel of a block, as a map [1, C, r H, r W]. */
function shuffledBias(bias: Value, x: Value, channels: number, node: Node): Value {
  const { blocksize: r, mode } = nodeAs(DepthToSpace, node)!.attributes;
  const [, , height, width] = x.shape as [number, number, number, number];
  const map = expand(reshape(bias, [1, r * r * channels, 1, 1]), [1, r * r * channels, height, width]);
  return depthToSpace(map, r, mode);
}

/** The same for maps of any size: where pixels of a block are channels, each has its own bias. */
function biased(y: Value, bias: Value, channels: number, node: Node): Value {
  const { blocksize: r, mode } = nodeAs(DepthToSpace, node)!.attributes;
  const ordered = mode === "CRD" ? transpose(reshape(bias, [channels, r * r]), [1, 0]) : bias;
  return depthToSpace(add(spaceToDepth(y, r), reshape(ordered, [1, r * r * channels, 1, 1])), r, "DCR");
}

interface Interleaving {
  readonly r: number;
  readonly channels: number;
  readonly group: number;
  readonly padding: readonly [number, number];
  readonly crd: boolean;
}

/** [r² C, in / group, h, w] -> [in, C / group, r h, r w]: tap (u, v) of phase (a, b) goes to a - r (u - p), counted from r (p + 1 - h). */
function interleaved(weight: Tensor<FloatType>, { r, channels, group, crd }: Interleaving): Tensor<FloatType> {
  const [, inputs, h, w] = weight.shape as [number, number, number, number];
  const from = toNumbers(weight);
  const each = channels / group;
  const [height, width] = [r * h, r * w];
  const values = new Float64Array(inputs * group * each * height * width);
  for (let c = 0; c < channels; c++)
    for (let a = 0; a < r; a++)
      for (let b = 0; b < r; b++) {
        const source = crd ? r * r * c + r * a + b : (r * a + b) * channels + c;
        for (let i = 0; i < inputs; i++)
          for (let u = 0; u < h; u++)
            for (let v = 0; v < w; v++) {
              const plane = (Math.floor(c / each) * inputs + i) * each + (c % each);
              const [row, column] = [a + r * (h - 1 - u), b + r * (w - 1 - v)];
              values[(plane * height + row) * width + column] = from[((source * inputs + i) * h + u) * w + v]!;
            }
      }
  return tensor(weight.type, [inputs * group, each, height, width], values);
}

/** Without a convolution before it: each channel goes to its own pixel of every block. */
function alone(node: Node): Transposed {
  const { attributes, inputs, outputs } = nodeAs(DepthToSpace, node)!;
  const [x] = inputs;
  const { blocksize: r, mode } = attributes;
  const channels = outputs[0]!.shape[1]!;
  // In the order CRD, the r² channels of one lie together and make a group.
  const groups = mode === "CRD" ? channels : 1;
  const each = channels / groups;
  const values = new Float64Array(r * r * channels * each * r * r);
  for (let c = 0; c < channels; c++)
    for (let phase = 0; phase < r * r; phase++) {
      const source = mode === "CRD" ? r * r * c + phase : phase * channels + c;
      values[(source * each + (groups === 1 ? c : 0)) * r * r + phase] = 1;
    }
  const weight = tensor(x.type as FloatType, [r * r * channels, each, r, r], values);
  return { x, weight, groups, factor: [r, r], pad: [0, 0], finish: (y) => y };
}
