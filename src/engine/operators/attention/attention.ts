import type { Value } from "../../graph/graph.js";
import { defineComposite, flag, float, int } from "../../graph/operator.js";
import { tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { sub } from "../elementwise/sub.js";
import { emit, scalar } from "../emit.js";
import { elementType } from "../generator/element-type.js";
import { concat } from "../layout/concat.js";
import { pad } from "../layout/pad.js";
import { reshape } from "../layout/reshape.js";
import { and } from "../logic/and.js";
import { less } from "../logic/less.js";
import { lessOrEqual } from "../logic/less-or-equal.js";
import { joinHeads, scaledDotProduct, splitHeads } from "./scaled-dot-product.js";

export interface AttentionOptions {
  /** Bool (true: takes part) or added to the scores; broadcast to `[B, H, S, L]`. */
  readonly mask?: Value;
  /** Whether query i sees only keys up to i; default "all". */
  readonly keys?: "all" | "causal";
  /** Default 1 / √D. */
  readonly scale?: number;
  readonly softcap?: number;
}

/**
 * Scaled dot-product attention, as `torch.nn.functional.scaled_dot_product_attention`.
 *
 * @param q `[B, H, S, D]`
 * @param k `[B, G, L, D]` with G = H, or a divisor of it
 * @param v `[B, G, L, V]`
 * @returns `[B, H, S, V]`
 */
export const attention = (q: Value, k: Value, v: Value, { mask, keys, scale, softcap }: AttentionOptions = {}): Value =>
  emit(Attention, [q, k, v, mask], { is_causal: keys === "causal" ? 1 : 0, scale, softcap });

export const Attention = defineComposite({
  name: "Attention",
  inputs: ["Q", "K", "V", "attn_mask?", "past_key?", "past_value?", "nonpad_kv_seqlen?"],
  outputs: ["Y", "present_key?", "present_value?", "qk_matmul_output?"],
  attributes: {
    is_causal: flag(0),
    kv_num_heads: int(),
    q_num_heads: int(),
    qk_matmul_output_mode: int(0),
    scale: float(),
    softcap: float(0),
    softmax_precision: int(),
  },
  decompose: ({ inputs: [queries, keys, values, maskInput, pastKey, pastValue, filled], attributes, graph, fail }) => {
    const rank = queries.shape.length;
    if (rank !== 3 && rank !== 4) fail("Q must be [B, H, S, D] or [B, S, H·D]");
    if (keys.shape.length !== rank || values.shape.length !== rank) fail("Q, K and V must have one rank");
    const headsOf = (x: Value, heads: number | undefined): Value => {
      if (rank === 4) return x;
      if (heads === undefined || x.shape[2]! % heads !== 0) return fail("q_num_heads and kv_num_heads must divide the last axis");
      return splitHeads(x, heads, fail);
    };
    const q = headsOf(queries, attributes.q_num_heads);
    const [newKeys, newValues] = [headsOf(keys, attributes.kv_num_heads), headsOf(values, attributes.kv_num_heads)];
    if ((pastKey === undefined) !== (pastValue === undefined)) fail("past_key and past_value come together");
    const k = pastKey ? concat([pastKey, newKeys], 2) : newKeys;
    const v = pastValue ? concat([pastValue, newValues], 2) : newValues;
    const [batch, heads, rows, size] = q.shape as [number, number, number, number];
    const length = k.shape[2]!;
    if (heads % k.shape[1]! !== 0) fail(`${heads} heads of Q cannot share ${k.shape[1]} heads of K`);

    const range = (count: number, shape: readonly number[]): Value =>
      graph.constant(
        tensor(
          "int64",
          shape,
          Array.from({ length: count }, (_, i) => i),
        ),
      );
    const mask = maskInput && padded(maskInput, length);
    const limits: Value[] = mask?.type === "bool" ? [mask] : [];
    const perPicture = filled && reshape(cast(filled, "int64"), [batch, 1, 1, 1]);
    if (attributes.is_causal !== 0) {
      // the last query sees the last key: queries stand behind what was there before
      const offset = perPicture && !pastKey ? sub(perPicture, rows) : scalar(graph, pastKey?.shape[2] ?? 0, "int64");
      limits.push(lessOrEqual(range(length, [1, length]), add(range(rows, [rows, 1]), offset)));
    }
    if (perPicture) limits.push(less(range(length, [1, 1, 1, length]), perPicture));
    const result = scaledDotProduct(q, k, v, {
      scale: attributes.scale ?? 1 / Math.sqrt(size),
      bias: mask && mask.type !== "bool" ? mask : undefined,
      allowed: limits.length > 0 ? limits.reduce((a, b) => and(a, b)) : undefined,
      emptyRows: (mask && !hasKeyInEveryRow(mask)) || (mask && limits.length > 1) || perPicture ? "possible" : "none",
      softcap: attributes.softcap,
      precision: attributes.softmax_precision === undefined ? undefined : elementType(attributes.softmax_precision, q.type, fail),
    });
    const scores = [result.product, result.capped, result.masked, result.weights][attributes.qk_matmul_output_mode];
    if (!scores) fail(`qk_matmul_output_mode must be 0 to 3, not ${attributes.qk_matmul_output_mode}`);
    return [rank === 4 ? result.y : joinHeads(result.y), k, v, scores!];
  },
});

/** A mask that is shorter than the keys forbids the rest. */
function padded(mask: Value, length: number): Value {
  const missing = length - (mask.shape.at(-1) ?? length);
  if (missing <= 0 || mask.shape.at(-1) === 1) return mask;
  const pads = [...mask.shape.map(() => 0), ...mask.shape.map((_, i) => (i === mask.shape.length - 1 ? missing : 0))];
  if (mask.type !== "bool") return pad(mask, pads, "constant", Number.NEGATIVE_INFINITY);
  return cast(pad(cast(mask, "int32"), pads), "bool");
}

/** Whether a constant mask leaves every row a key; what is computed at run time may not. */
function hasKeyInEveryRow(mask: Value): boolean {
  const t = mask.constant;
  const length = mask.shape.at(-1) ?? 1;
  if (!t || t.type === "float16") return false;
  const open = Array.from(t.data as ArrayLike<number | bigint>, (v) =>
    t.type === "bool" ? Number(v) !== 0 : Number(v) > -Infinity,
  );
  for (let row = 0; row < open.length; row += length) if (!open.slice(row, row + length).includes(true)) return false;
  return true;
}
