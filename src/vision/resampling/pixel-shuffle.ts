import { nodeAs } from "../../engine/graph/operator.js";
import { Conv } from "../../engine/operators/convolution/conv.js";
import { add, expand, reshape } from "../../engine/operators/index.js";
import { DepthToSpace, depthToSpace } from "../../engine/operators/layout/depth-to-space.js";
import { windows } from "../../engine/operators/window.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { Left, type UpForm } from "./form.js";
import { accepted } from "./window.js";

/**
 * A convolution and a pixel shuffle behind it. Output pixel 2 i + a of channel c is the convolution's channel (c, a) at i, so tap u of that channel,
 * which reads input i + u - p, is tap a - 2 (u - p) of a transposed kernel, counted from its center.
 */
export const pixelShuffle: UpForm = {
  name: "pixel shuffle",
  direction: "up",
  find: (node) => {
    const layer = nodeAs(DepthToSpace, node);
    if (!layer) return undefined;
    const b = layer.attributes.blocksize;
    return b > 1 ? { factor: [b, b], before: layer.inputs[0], after: layer.outputs[0]! } : undefined;
  },
  transposed: (node) => {
    const { attributes, inputs, outputs } = nodeAs(DepthToSpace, node)!;
    const [mixed] = inputs;
    if (attributes.blocksize !== 2) return new Left(`it enlarges by ${attributes.blocksize}, and a large kernel doubles`);
    const layer = nodeAs(Conv, mixed);
    if (!layer) return new Left("no convolution stands before it whose weights a large kernel could take over");
    const [x, w, bias] = layer.inputs;
    const axes = windows(x.shape.slice(2), w.shape.slice(2), layer.attributes, "floor", accepted);
    const [a0] = axes;
    const centered = axes.every(
      (a) =>
        a.stride === 1 && a.dilation === 1 && a.kernel === a0!.kernel && 2 * a.begin + 1 === a.kernel && a.output === a.input,
    );
    if (!centered || layer.attributes.group !== 1 || !w.constant || w.type !== "float32")
      return new Left("the convolution before it is not square, centered and of one group, with float32 weights of the file");
    const channels = outputs[0]!.shape[1]!;
    const crd = attributes.mode === "CRD";
    return {
      x,
      weight: interleaved(w.constant as Tensor<"float32">, channels, crd),
      groups: 1,
      pad: a0!.kernel - 1,
      finish: (y) => {
        if (!bias) return y;
        const [n, , height, width] = x.shape as [number, number, number, number];
        const map = expand(reshape(bias, [1, 4 * channels, 1, 1]), [n, 4 * channels, height, width]);
        return add(y, depthToSpace(map, 2, attributes.mode));
      },
    };
  },
};

/** [4 C, in, k, k] -> [in, C, 2 k, 2 k]: tap (u, v) of phase (a, b) goes to (a - 2 (u - p) + k - 1, ...), p = (k - 1) / 2. */
function interleaved(weight: Tensor<"float32">, channels: number, crd: boolean): Tensor<"float32"> {
  const [, inputs, k] = weight.shape as [number, number, number];
  const side = 2 * k;
  const result = tensor("float32", [inputs, channels, side, side]);
  const place = (phase: number, tap: number) => phase - 2 * (tap - (k - 1) / 2) + k - 1;
  for (let c = 0; c < channels; c++)
    for (let a = 0; a < 2; a++)
      for (let b = 0; b < 2; b++) {
        const from = crd ? 4 * c + 2 * a + b : (2 * a + b) * channels + c;
        for (let i = 0; i < inputs; i++)
          for (let u = 0; u < k; u++)
            for (let v = 0; v < k; v++)
              result.data[((i * channels + c) * side + place(a, u)) * side + place(b, v)] =
                weight.data[((from * inputs + i) * k + u) * k + v]!;
      }
  return result;
}
