import type { Node } from "../../graph/graph.js";
import { conv } from "../../operators/convolution/conv.js";
import { add } from "../../operators/elementwise/add.js";
import { concat } from "../../operators/layout/concat.js";
import { depthToSpace } from "../../operators/layout/depth-to-space.js";
import { reshape } from "../../operators/layout/reshape.js";
import { slice } from "../../operators/layout/slice.js";
import { type Tensor, tensor } from "../../tensor/tensor.js";
import type { Rewrite } from "../rewrite.js";
import { type StridedTranspose, stridedTranspose } from "./strided-transpose.js";

/**
 * A strided ConvTranspose with a large kernel writes each output from a regular subset of its taps: with stride s, output `s q + r - pad`
 * takes taps `r, r + s, r + 2s, ...` of inputs `q, q - 1, q - 2, ...`. For each of the s² phases r that is a plain convolution at the low
 * resolution, with these taps and no other, and DepthToSpace interleaves the phases.
 */
export const transposedPhases: Rewrite = {
  name: "transposed-phases",
  scope: "all",
  keeps: "rounding",
  providers: ["cpu", "wasm"],
  measured:
    "stride 2, 32² to 64²: depthwise 64 channels kernel 7 1.7 -> 0.8 ms, 11 9.0 -> 0.9, 31 64 -> 2.9; 64 to 32 channels kernel 7 2.0 -> 1.2, 11 6.2 -> 2.3 (gradient study, CPU, 2 threads)",
  apply: (node) => {
    const layer = stridedTranspose(node);
    const phased = layer && phasesOf(layer, node);
    const weights = layer?.w.constant;
    if (!layer || !phased || !weights) return undefined;
    const { x, bias, stride, group } = layer;
    const [rows, columns] = phased;
    const phases = rows.phases.flatMap((row) =>
      columns.phases.map((column) => {
        const kernel = x.graph.constant(phaseKernel(weights, stride, row, column, group));
        return conv(x, kernel, { pads: [row.before, column.before, rows.after, columns.after], group });
      }),
    );
    const spread = depthToSpace(concat(phases, 1), stride, "DCR");
    const cut = [rows.cut, columns.cut];
    const ends = cut.map((c, i) => c + node.outputs[0]!.shape[i + 2]!);
    const y = slice(spread, cut, ends, { axes: [2, 3] });
    return [bias ? add(y, reshape(bias, [1, -1, 1, 1])) : y];
  },
};

/** One residue of the output position along one axis. */
interface Phase {
  /** The first tap, the number of taps, and the padding before the low-resolution convolution. */
  readonly first: number;
  readonly taps: number;
  readonly before: number;
}

interface PhasedAxis {
  readonly phases: readonly Phase[];
  /** Padding behind the low-resolution convolutions. */
  readonly after: number;
  /** How many leading elements of the interleaved result lie before the output. */
  readonly cut: number;
}

function phasesOf(layer: StridedTranspose, node: Node): readonly [PhasedAxis, PhasedAxis] | undefined {
  const { x, stride, kernel, group, inputs, perGroup } = layer;
  const depthwise = perGroup === 1 && group === inputs;
  // Few output channels (the gradient of a network's first layer) gain nothing: 7.4 ms against 8.0 as phases.
  if (kernel.some((k) => k < 7 || k < stride) || (!depthwise && (group !== 1 || perGroup < 16))) return undefined;
  const axes = kernel.map((k, i): PhasedAxis => {
    const begin = layer.begin[i]!;
    const [first, last] = [Math.floor(begin / stride), Math.floor((node.outputs[0]!.shape[i + 2]! - 1 + begin) / stride)];
    const phases = Array.from({ length: stride }, (_, r): Phase => {
      const taps = Math.ceil((k - r) / stride);
      return { first: r, taps, before: taps - 1 - first };
    });
    return { phases, after: last - (x.shape[i + 2]! - 1), cut: begin - stride * first };
  });
  const fits = axes.every((a) => a.after >= 0 && a.phases.every((p) => p.before >= 0));
  return fits ? (axes as [PhasedAxis, PhasedAxis]) : undefined;
}

/** The taps of one phase as weights of a convolution, `[outputs, inputs / group, ...taps]`. */
function phaseKernel(w: Tensor, stride: number, row: Phase, column: Phase, group: number): Tensor {
  const [inputs, perGroup, height, width] = w.shape as [number, number, number, number];
  // depthwise where there are groups at all: an output for each input
  const [m, n] = group > 1 ? [inputs, 1] : [perGroup, inputs];
  const kernel = new Float32Array(m * n * row.taps * column.taps);
  const data = w.data as Float32Array;
  let to = 0;
  for (let o = 0; o < m; o++) {
    for (let i = 0; i < n; i++) {
      const from = (group > 1 ? o : i * perGroup + o) * height * width;
      // correlation runs backwards through the taps
      for (let a = row.taps - 1; a >= 0; a--) {
        for (let b = column.taps - 1; b >= 0; b--)
          kernel[to++] = data[from + (row.first + stride * a) * width + column.first + stride * b]!;
      }
    }
  }
  return tensor("float32", [m, n, row.taps, column.taps], kernel);
}
