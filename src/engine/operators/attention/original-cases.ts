import { type DataType, type Tensor, tensor } from "../../tensor/tensor.js";
import type { OriginalCase } from "../../testing/original-case.js";

const [B, H, S, L, D, V] = [2, 4, 3, 5, 6, 2];

const attention = (
  name: string,
  more: {
    readonly opset?: number;
    readonly shapes?: OriginalCase["inputs"];
    readonly rest?: OriginalCase["inputs"];
    readonly attributes?: OriginalCase["attributes"] & object;
    readonly outputs?: readonly (DataType | undefined)[];
  } = {},
): OriginalCase => ({
  name: `Attention: ${name}`,
  operator: "Attention",
  opset: more.opset ?? 23,
  inputs: [
    ...(more.shapes ?? [
      [B, H, S, D],
      [B, H, L, D],
      [B, H, L, V],
    ]),
    ...(more.rest ?? []),
  ],
  attributes: more.attributes ?? {},
  outputs: more.outputs ?? ["float32"],
});

const bools = (shape: readonly number[], closed: (i: number) => boolean): Tensor =>
  tensor(
    "bool",
    shape,
    Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => (closed(i) ? 0 : 1)),
  );
const distances = (shape: readonly number[], closed: (i: number) => boolean): Tensor =>
  tensor(
    "float32",
    shape,
    Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => (closed(i) ? -Infinity : Math.sin(i))),
  );
const everyThird = (i: number) => i % 3 === 1;
const int64 = (shape: readonly number[], values: readonly number[]) => ({ constant: tensor("int64", shape, values) });
const flat = [
  [B, S, H * D],
  [B, L, H * D],
  [B, L, H * V],
];
const past = [
  [B, H, 2, D],
  [B, H, 2, V],
];

export const attentionOriginals: readonly OriginalCase[] = [
  attention("cross"),
  attention("scale", { attributes: { scale: 0.3 } }),
  attention("causal", { attributes: { is_causal: 1 } }),
  attention("mask of numbers", { rest: [[S, L]] }),
  attention("mask of numbers for each head", { rest: [[B, H, S, L]] }),
  attention("mask of numbers with -inf", { rest: [{ constant: distances([B, 1, S, L], everyThird) }] }),
  attention("mask of truth values, constant", { rest: [{ constant: bools([S, L], everyThird) }] }),
  attention("mask of truth values", { rest: [bools([B, 1, S, L], everyThird)] }),
  attention("mask and causal", { rest: [bools([S, L], everyThird)], attributes: { is_causal: 1 } }),
  attention("softcap", { attributes: { softcap: 0.7 } }),
  attention("three axes", { shapes: flat, attributes: { q_num_heads: H, kv_num_heads: H } }),
  attention("heads shared", {
    shapes: [
      [B, H, S, D],
      [B, 2, L, D],
      [B, 2, L, V],
    ],
  }),
  attention("one head shared, three axes, causal", {
    shapes: [
      [B, S, H * D],
      [B, L, D],
      [B, L, V],
    ],
    attributes: { q_num_heads: H, kv_num_heads: 1, is_causal: 1 },
  }),
  attention("past and present", { rest: [undefined, ...past], outputs: ["float32", "float32", "float32"] }),
  attention("past, mask", { rest: [[S, L + 2], ...past], outputs: ["float32", "float32", "float32"] }),
  ...[0, 3].map((mode) =>
    attention(`scores, mode ${mode}`, {
      rest: [[S, L]],
      attributes: { qk_matmul_output_mode: mode },
      outputs: ["float32", undefined, undefined, "float32"],
    }),
  ),
  ...[1, 2].map((mode) =>
    attention(`scores with softcap and mask, mode ${mode}`, {
      rest: [[S, L]],
      attributes: { qk_matmul_output_mode: mode, softcap: 0.8 },
      outputs: ["float32", undefined, undefined, "float32"],
    }),
  ),
  attention("softcap and mask of truth values", { rest: [bools([S, L], everyThird)], attributes: { softcap: 0.7 } }),
  attention("a query without a key", { rest: [bools([S, L], (i) => i < L)] }),
  attention("a query without a key, by numbers", { rest: [distances([S, L], (i) => i < L)] }),
  attention("opset 24", { opset: 24, rest: [[S, L]] }),
  attention("opset 24, filled in part", {
    opset: 24,
    rest: [undefined, undefined, undefined, int64([B], [3, 5])],
  }),
  ...["RotaryEmbedding"].flatMap((operator) => {
    const cache = {
      constant: tensor(
        "float32",
        [8, 3],
        Array.from({ length: 24 }, (_, i) => Math.sin(i)),
      ),
    };
    const positions = int64([2, 3], [0, 5, 2, 7, 7, 1]);
    const rotary = (name: string, x: readonly number[], attributes: object, inputs: OriginalCase["inputs"]): OriginalCase => ({
      name: `${operator}: ${name}`,
      operator,
      opset: 23,
      inputs: [x, ...inputs],
      attributes: { ...attributes },
    });
    const perToken = [2, 3, 3];
    return [0, 1].flatMap((interleaved) => [
      rotary(`heads first, interleaved ${interleaved}`, [2, 4, 3, 6], { interleaved }, [cache, cache, positions]),
      rotary(`three axes, interleaved ${interleaved}`, [2, 3, 24], { interleaved, num_heads: 4 }, [cache, cache, positions]),
      rotary(`in part, interleaved ${interleaved}`, [2, 4, 3, 8], { interleaved, rotary_embedding_dim: 6 }, [
        cache,
        cache,
        positions,
      ]),
      rotary(`without positions, interleaved ${interleaved}`, [2, 4, 3, 6], { interleaved }, [perToken, perToken]),
    ]);
  }),
];
