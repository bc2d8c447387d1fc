import { defineComposite, int, required } from "../../graph/operator.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { gather } from "../indexing/gather.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { transpose } from "../layout/transpose.js";
import { matMul } from "../linear/mat-mul.js";

/**
 * `A Wᵀ + bias` with W `[N, K]` stored in 2 to 8 bits: `W[n, k] = (B[n, k] - zero_points[n, k / block_size]) scales[n, k / block_size]`. The
 * weights are unpacked to one byte each when the model is read; what they stand for is computed when it runs.
 */
export const MatMulNBits = defineComposite({
  name: "MatMulNBits",
  domain: "com.microsoft",
  inputs: ["A", "B", "scales", "zero_points?", "g_idx?", "bias?"],
  attributes: {
    K: required(int()),
    N: required(int()),
    bits: int(4),
    block_size: required(int()),
    accuracy_level: int(0),
    weight_prepacked: int(0),
  },
  decompose: ({ inputs: [a, b, scales, zeroPoints, groups, bias], attributes, graph, fail }) => {
    const { K, N, bits, block_size } = attributes;
    if (8 % bits !== 0) fail(`its weights take ${bits} bits, and Faultline unpacks 2, 4 and 8`);
    if (attributes.weight_prepacked) fail("its weights are laid out for one processor; save the model without prepacking");
    if (![K, N, block_size].every((v) => v > 0)) fail(`its sizes N = ${N}, K = ${K}, block_size = ${block_size} must be above 0`);
    const blocks = Math.ceil(K / block_size);
    const holds = (role: string, shape: Shape, wanted: number) => {
      if (sizeOf(shape) !== wanted)
        fail(
          `its ${role} hold ${sizeOf(shape)} elements, where N = ${N}, K = ${K}, block_size = ${block_size} ask for ${wanted}`,
        );
    };
    holds("weights", b.shape, (N * blocks * block_size * bits) / 8);
    holds("scales", scales.shape, N * blocks);
    const packed = (t: Tensor | undefined, role: string, length: number): Tensor => {
      if (!t) return fail(`its ${role} must be constant`);
      return tensor("uint8", [N, length], unpack(t, N, length, bits));
    };
    const stored = graph.constant(packed(b.constant, "weights", blocks * block_size));
    // Weights as [N, blocks, block_size]; where a permutation says which block each column is of, as [N, columns, 1].
    const perBlock = (values: typeof scales) =>
      groups ? reshape(gather(reshape(values, [N, blocks]), groups, 1), [N, K, 1]) : reshape(values, [N, blocks, 1]);
    const rows = groups ? slice(stored, [0], [K], { axes: [1] }) : stored;
    const type = scales.type;
    const steps = cast(reshape(rows, groups ? [N, K, 1] : [N, blocks, block_size]), type);
    const middle =
      zeroPoints === undefined
        ? 2 ** (bits - 1)
        : perBlock(
            zeroPoints.type === "uint8"
              ? cast(graph.constant(packed(zeroPoints.constant, "zero points", blocks)), type)
              : cast(zeroPoints, type),
          );
    const weights = reshape(mul(sub(steps, middle), perBlock(scales)), [N, -1]);
    const used = weights.shape[1] === K ? weights : slice(weights, [0], [K], { axes: [1] });
    const product = matMul(a, transpose(cast(used, a.type), [1, 0]));
    return [bias ? add(product, bias) : product];
  },
});

/** `rows` times `length` numbers of few bits, the lowest first in each byte; each row begins with a byte of its own. */
function unpack({ data, shape }: Tensor, rows: number, length: number, bits: number): number[] {
  const bytes = data as Uint8Array;
  const perByte = 8 / bits;
  const rowBytes = sizeOf(shape) / rows;
  return Array.from({ length: rows * length }, (_, i) => {
    const [row, column] = [Math.floor(i / length), i % length];
    const byte = bytes[row * rowBytes + Math.floor(column / perByte)]!;
    return (byte >> (bits * (column % perByte))) & (2 ** bits - 1);
  });
}
