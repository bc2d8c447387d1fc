import type { Node, Value } from "../../graph/graph.js";
import { conv } from "../../operators/convolution/conv.js";
import { add } from "../../operators/elementwise/add.js";
import { concat } from "../../operators/layout/concat.js";
import { depthToSpace } from "../../operators/layout/depth-to-space.js";
import { reshape } from "../../operators/layout/reshape.js";
import { slice } from "../../operators/layout/slice.js";
import { type Tensor, tensor } from "../../tensor/tensor.js";
import type { Rewrite } from "../rewrite.js";
import { stridedTranspose } from "./strided-transpose.js";

/**
 * A strided ConvTranspose with a large kernel writes each output from a regular subset of its taps: with stride s, output `s q + r - pad`
 * takes taps `r, r + s, r + 2s, ...` of inputs `q, q - 1, q - 2, ...`. For each of the s² phases r that is a plain convolution at the low
 * resolution, and DepthToSpace interleaves the phases. Full convolutions compute all phases in one Conv, depthwise ones in s² Convs.
 */
export const transposedPhases: Rewrite = {
  name: "transposed-phases",
  providers: ["cpu", "wasm"],
  measured:
    "stride 2, 32² to 64²: depthwise 64 channels kernel 7 1.7 -> 0.8 ms, 11 9.0 -> 0.9, 31 64 -> 2.9; 64 to 32 channels kernel 7 2.0 -> 1.1, 11 6.2 -> 2.3 (gradient study, CPU, 2 threads)",
  apply: (node, [x, w, bias]) => {
    const layer = x && w?.constant ? layerOf(node, x, w.constant) : undefined;
    if (!layer || !x || !w) return undefined;
    const { stride, axes, depthwise, channels } = layer;
    const kernels = phaseKernels(w.constant!, stride, axes.map((a) => a.taps) as [number, number], depthwise);
    const pads = [...axes.map((a) => a.before), ...axes.map((a) => a.after)];
    const group = depthwise ? channels : 1;
    const phases = kernels.map((k) => conv(x, x.graph.constant(k), { pads, group }));
    const spread = depthToSpace(concat(phases, 1), stride, "DCR");
    const cut = axes.map((a) => a.cut);
    const ends = cut.map((c, i) => c + node.outputs[0]!.shape[i + 2]!);
    const y = slice(spread, cut, ends, { axes: [2, 3] });
    return [bias ? add(y, reshape(bias, [1, channels, 1, 1])) : y];
  },
};

interface PhasedAxis {
  /** Taps of one phase. */
  readonly taps: number;
  /** Padding of the low-resolution convolution. */
  readonly before: number;
  readonly after: number;
  /** How many leading elements of the interleaved result lie before the output. */
  readonly cut: number;
}

interface PhasedLayer {
  readonly stride: number;
  readonly axes: readonly PhasedAxis[];
  readonly depthwise: boolean;
  readonly channels: number;
}

function layerOf(node: Node, x: Value, w: Tensor): PhasedLayer | undefined {
  const layer = stridedTranspose(node, w);
  if (!layer) return undefined;
  const { stride, kernel, group, inputs, perGroup } = layer;
  const depthwise = perGroup === 1 && group === inputs;
  // Few output channels (the gradient of a network's first layer) gain nothing: 7.4 ms against 8.0 as phases.
  if (kernel.some((k) => k < 7) || (!depthwise && (group !== 1 || perGroup < 16))) return undefined;
  const axes = kernel.map((k, i): PhasedAxis => {
    const begin = layer.begin[i]!;
    const [first, last] = [Math.floor(begin / stride), Math.floor((node.outputs[0]!.shape[i + 2]! - 1 + begin) / stride)];
    const taps = Math.ceil(k / stride);
    return { taps, before: taps - 1 - first, after: last - (x.shape[i + 2]! - 1), cut: begin - stride * first };
  });
  if (axes.some((a) => a.before < 0 || a.after < 0)) return undefined;
  return { stride, axes, depthwise, channels: perGroup * group };
}

/** One kernel for each phase (depthwise), or one for all of them, phase by phase along its output channels. */
function phaseKernels(w: Tensor, stride: number, [th, tw]: readonly [number, number], depthwise: boolean): Tensor[] {
  const [m, perGroup, height, width] = w.shape as [number, number, number, number];
  const [outputs, inputs] = depthwise ? [m, 1] : [perGroup, m];
  const data = w.data as Float32Array;
  const phases = Array.from({ length: stride * stride }, (_, phase) => {
    const [rh, rw] = [Math.floor(phase / stride), phase % stride];
    const kernel = new Float32Array(outputs * inputs * th * tw);
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        const from = (depthwise ? o : i * perGroup + o) * height * width;
        for (let a = 0; a < th; a++) {
          for (let b = 0; b < tw; b++) {
            // correlation runs backwards through the taps
            const [kh, kw] = [rh + stride * (th - 1 - a), rw + stride * (tw - 1 - b)];
            if (kh < height && kw < width) kernel[((o * inputs + i) * th + a) * tw + b] = data[from + kh * width + kw]!;
          }
        }
      }
    }
    return kernel;
  });
  if (depthwise) return phases.map((k) => tensor("float32", [outputs, inputs, th, tw], k));
  const merged = new Float32Array(phases.length * phases[0]!.length);
  phases.forEach((k, i) => merged.set(k, i * k.length));
  return [tensor("float32", [phases.length * outputs, inputs, th, tw], merged)];
}
