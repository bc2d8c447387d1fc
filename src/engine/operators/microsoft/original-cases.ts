import { type DataType, type Tensor, tensor } from "../../tensor/tensor.js";
import type { OriginalCase } from "../../testing/original-case.js";

const [B, N, S, L, D, V] = [2, 2, 3, 4, 4, 3];

const int32 = (shape: readonly number[], values: readonly number[]): { constant: Tensor } => ({
  constant: tensor("int32", shape, values),
});
const pattern = (shape: readonly number[]) =>
  int32(
    shape,
    Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => (i % 3 === 1 ? 0 : 1)),
  );

interface Case {
  readonly inputs: OriginalCase["inputs"];
  readonly attributes?: object;
  readonly outputs?: readonly (DataType | undefined)[];
}

const of =
  (operator: string) =>
  (name: string, { inputs, attributes, outputs }: Case): OriginalCase => ({
    name: `com.microsoft ${operator}: ${name}`,
    operator: `com.microsoft.${operator}`,
    opset: 17,
    inputs,
    attributes: { ...(operator === "RotaryEmbedding" ? {} : { num_heads: N }), ...attributes },
    outputs: outputs ?? ["float32"],
  });

const heads = of("MultiHeadAttention");
const q = [B, S, N * D];
const k = [B, L, N * D];
const v = [B, L, N * V];
const bias = [N * (D + D + V)];
const past = [
  [B, N, 2, D],
  [B, N, 2, D],
];
const none = undefined;

/** Four heads of queries share two of keys; 3 new tokens behind `before` old ones. */
const grouped = (
  name: string,
  before: number,
  attributes: object = {},
  more: { packed?: true; cache?: true; bias?: true } = {},
) => {
  // ONNX Runtime rotates heads of 16 and more, and takes one row where there is a past
  const size = more.cache ? 16 : 8;
  const batch = before > 0 ? 1 : B;
  const projected = (count: number) => [batch, S, count * size];
  const cache = { constant: filled("float32", [8, size / 2], [0.9, -0.4, 0.1, 0.7, -0.8]) };
  const old = before > 0 ? [batch, 2, before, size] : none;
  return of("GroupQueryAttention")(name, {
    inputs: [
      ...(more.packed ? [projected(8), none, none] : [projected(4), projected(2), projected(2)]),
      old,
      old,
      int32([batch], Array<number>(batch).fill(before + S - 1)),
      int32([1], [before + S]),
      ...(more.cache ? [cache, cache] : more.bias ? [none, none] : []),
      ...(more.bias ? [none, { constant: filled("float32", [1, 4, S, before + S], [0.5, -0.3, 0.2]) }] : []),
    ],
    attributes: { num_heads: 4, kv_num_heads: 2, ...attributes },
    outputs: ["float32", "float32", "float32"],
  });
};

const attention = of("Attention");
const x = [B, S, 5];
const w = [5, 3 * N * D];
const b = [3 * N * D];

const quantizedAttention = of("QAttention");
const filled = (type: DataType, shape: readonly number[], values: readonly number[]): Tensor =>
  tensor(
    type,
    shape,
    Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => values[(i * 7) % values.length]!),
  );
/** Input, weights and bias; the weights stay within 7 bits, beyond which products saturate on some processors. */
const quantizedProjection = [
  filled("uint8", x, [5, 250, 130, 17, 99, 180]),
  { constant: filled("int8", w, [45, -35, 30, 50, -25, -40, 60, 20, -63, 7, 13]) },
  b,
];

const rotary = of("RotaryEmbedding");
const cache = {
  constant: tensor(
    "float32",
    [8, 3],
    Array.from({ length: 24 }, (_, i) => Math.sin(i)),
  ),
};
const positions = { constant: tensor("int64", [2, 3], [0, 5, 2, 7, 7, 1]) };
const start = { constant: tensor("int64", [1], [2]) };

const single = (operator: string, name: string, inputs: OriginalCase["inputs"], more: Partial<OriginalCase>): OriginalCase => ({
  name: `com.microsoft ${operator}: ${name}`,
  operator: `com.microsoft.${operator}`,
  opset: 17,
  inputs,
  ...more,
});
const numbers = (type: DataType, shape: readonly number[], values: readonly number[]) => tensor(type, shape, values);
const scale = (value: number) => ({ constant: numbers("float32", [], [value]) });
const zero = (value: number) => ({ constant: numbers("uint8", [], [value]) });
const bytes = numbers("uint8", [2, 3], [3, 200, 40, 77, 150, 9]);

export const microsoftOriginals: readonly OriginalCase[] = [
  single("FusedConv", "with a summand", [[1, 2, 5, 5], [3, 2, 3, 3], [3], [1, 3, 5, 5]], {
    attributes: { activation: "Tanh", pads: [1, 1, 1, 1], kernel_shape: [3, 3] },
  }),
  single("FusedGemm", "Tanh", [[3, 4], [4, 5], [5]], { attributes: { activation: "Tanh", alpha: 0.7, beta: 1.3 } }),
  single(
    "TransposeMatMul",
    "both",
    [
      [2, 4, 3],
      [2, 5, 4],
    ],
    { attributes: { transA: 1, transB: 1, alpha: 0.5 } },
  ),
  single(
    "FusedMatMul",
    "batch of A",
    [
      [5, 2, 3, 4],
      [2, 3, 4, 6],
    ],
    { attributes: { transBatchA: 1, alpha: 0.5 } },
  ),
  single(
    "FusedMatMul",
    "batch of B",
    [
      [2, 3, 5, 4],
      [4, 2, 3, 6],
    ],
    { attributes: { transBatchB: 1 } },
  ),
  single(
    "FusedMatMul",
    "batch and columns of A",
    [
      [4, 2, 3, 5],
      [2, 3, 4, 6],
    ],
    { attributes: { transBatchA: 1, transA: 1 } },
  ),
  single(
    "FusedMatMul",
    "batches of both, columns of B",
    [
      [5, 2, 3, 4],
      [6, 2, 3, 4],
    ],
    {
      attributes: { transBatchA: 1, transBatchB: 1, transB: 1 },
    },
  ),
  single("SkipSimplifiedLayerNormalization", "bias", [[1, 3, 8], [1, 3, 8], [8], [8]], { attributes: { epsilon: 1e-5 } }),
  single("QLinearSoftmax", "last axis", [bytes, scale(0.02), zero(90), scale(1 / 256), zero(0)], {
    attributes: { axis: -1, opset: 13 },
    outputs: ["uint8"],
    tolerance: 1,
  }),
  single("QuantizeLinear", "uint8", [{ constant: numbers("float32", [3], [0.3, -1.2, 2.2]) }, scale(0.02), zero(100)], {
    outputs: ["uint8"],
  }),
  single("DequantizeLinear", "uint8", [bytes, scale(0.02), zero(100)], {}),
  single("NhwcMaxPool", "padded, strides", [filled("uint8", [1, 5, 4, 2], [5, 250, 130, 17, 99, 180, 3])], {
    attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 0] },
    outputs: ["uint8"],
  }),
  single(
    "GridSample",
    "bicubic, border",
    [[1, 2, 4, 5], { constant: filled("float32", [1, 2, 3, 2], [0.31, -0.72, 1.3, 0.05]) }],
    {
      attributes: { mode: "bicubic", padding_mode: "border" },
    },
  ),
  single("Trilu", "lower, one above", [[2, 3, 4], { constant: numbers("int64", [], [1]) }], { attributes: { upper: 0 } }),
  single("Inverse", "a batch", [filled("float32", [2, 3, 3], [2.1, -0.4, 0.3, 0.8, -1.9, 0.5, 0.2, 0.9])], { step: 1e-3 }),
  heads("plain", { inputs: [q, k, v] }),
  heads("bias", { inputs: [q, k, v, bias] }),
  heads("scale", { inputs: [q, k, v], attributes: { scale: 0.3 } }),
  heads("unidirectional", { inputs: [q, q, [B, S, N * V]], attributes: { unidirectional: 1 } }),
  heads("lengths of rows", { inputs: [q, k, v, none, int32([B], [3, 4])] }),
  heads("mask of keys", { inputs: [q, k, v, bias, pattern([B, L])] }),
  heads("mask of keys, another filter", { inputs: [q, k, v, none, pattern([B, L])], attributes: { mask_filter_value: -2 } }),
  heads("mask of pairs", { inputs: [q, k, v, none, pattern([B, S, L])] }),
  heads("added to the scores", { inputs: [q, k, v, none, none, [1, N, S, L]] }),
  heads("added to the scores, mask", { inputs: [q, k, v, bias, pattern([B, L]), [B, 1, S, L]] }),
  heads("past and present", {
    inputs: [q, q, q, none, none, none, ...past],
    outputs: ["float32", "float32", "float32"],
  }),
  heads("past and present, added to the scores", {
    inputs: [q, q, q, [3 * N * D], none, [1, 1, S, S + 2], ...past],
    outputs: ["float32", "float32", "float32"],
  }),
  attention("plain", { inputs: [x, w, b] }),
  attention("scale, unidirectional", { inputs: [x, w, b], attributes: { scale: 0.4, unidirectional: 1 } }),
  attention("lengths of rows", { inputs: [x, w, b, int32([B], [2, 3])] }),
  attention("ends and starts", { inputs: [x, w, b, int32([2 * B], [2, 3, 0, 1])] }),
  attention("mask of keys", { inputs: [x, w, b, pattern([B, S])] }),
  attention("mask of pairs", { inputs: [x, w, b, pattern([B, S, S])] }),
  attention("mask of keys, unidirectional", {
    inputs: [x, w, b, int32([B, S], [1, 1, 0, 1, 1, 1])],
    attributes: { unidirectional: 1 },
  }),
  attention("added to the scores", { inputs: [x, w, b, none, none, [B, N, S, S]] }),
  attention("sizes of queries, keys and values", {
    inputs: [x, [5, N * (D + D + V)], [N * (D + D + V)]],
    attributes: { qkv_hidden_sizes: [N * D, N * D, N * V] },
  }),
  attention("past and present", {
    inputs: [x, w, b, none, [2, B, N, 2, D]],
    outputs: ["float32", "float32"],
  }),
  attention("past and present, mask of keys", {
    inputs: [x, w, b, pattern([B, S + 2]), [2, B, N, 2, D]],
    attributes: { unidirectional: 1 },
    outputs: ["float32", "float32"],
  }),
  quantizedAttention("plain", { inputs: [...quantizedProjection, scale(0.01), scale(0.02)] }),
  quantizedAttention("zero points, mask of keys, unidirectional", {
    inputs: [
      ...quantizedProjection,
      scale(0.01),
      { constant: filled("float32", [3 * N * D], [0.02, 0.03, 0.015]) },
      int32([B, S], [1, 1, 0, 1, 1, 1]),
      zero(120),
      { constant: filled("int8", [3 * N * D], [0]) },
    ],
    attributes: { unidirectional: 1 },
  }),
  quantizedAttention("past and present", {
    inputs: [...quantizedProjection, scale(0.01), scale(0.02), none, zero(120), none, [2, B, N, 2, D]],
    outputs: ["float32", "float32"],
  }),
  grouped("no past", 0),
  grouped("past", 2),
  grouped("packed, scale", 0, { scale: 0.4 }, { packed: true }),
  grouped("packed, past", 2, {}, { packed: true }),
  grouped("softcap", 2, { softcap: 0.7 }),
  grouped("bias of the scores", 2, {}, { bias: true }),
  ...[1, 2, 4].map((window) => grouped(`window of ${window}, past`, 2, { local_window_size: window })),
  grouped("window of 2", 0, { local_window_size: 2 }),
  ...[0, 1].flatMap((interleaved) => [
    grouped(`rotated, interleaved ${interleaved}`, 0, { do_rotary: 1, rotary_interleaved: interleaved }, { cache: true }),
    grouped(`rotated, past, interleaved ${interleaved}`, 2, { do_rotary: 1, rotary_interleaved: interleaved }, { cache: true }),
  ]),
  ...[0, 1].flatMap((interleaved) => [
    rotary(`three axes, interleaved ${interleaved}`, {
      inputs: [[2, 3, 24], positions, cache, cache],
      attributes: { interleaved },
    }),
    rotary(`heads first, interleaved ${interleaved}`, {
      inputs: [[2, 4, 3, 6], positions, cache, cache],
      attributes: { interleaved },
    }),
    rotary(`one position, interleaved ${interleaved}`, {
      inputs: [[2, 3, 24], start, cache, cache],
      attributes: { interleaved },
    }),
    rotary(`in part, interleaved ${interleaved}`, {
      inputs: [[2, 3, 32], positions, cache, cache],
      attributes: { interleaved, num_heads: 4, rotary_embedding_dim: 6 },
    }),
  ]),
];
