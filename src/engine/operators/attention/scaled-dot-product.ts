import type { Value } from "../../graph/graph.js";
import type { DataType } from "../../tensor/tensor.js";
import { softmax } from "../activation/softmax.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { tanh } from "../elementwise/tanh.js";
import { scalar } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { transpose } from "../layout/transpose.js";
import { matMul } from "../linear/mat-mul.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";
import { reduceMax } from "../reduction/reduce-max.js";

export interface DotProductOptions {
  readonly scale: number;
  /** Added to the scores; broadcast to `[B, H, S, L]`. */
  readonly bias?: Value | undefined;
  /** Which keys a query may look at (bool); broadcast to `[B, H, S, L]`. */
  readonly allowed?: Value | undefined;
  /** Whether a query may have no key at all; its output is 0 then, not NaN. */
  readonly emptyRows?: "possible" | "none";
  /** Above 0: scores are bent to lie between ±softcap. */
  readonly softcap?: number;
  /** Element type of the softmax; default that of the operands. */
  readonly precision?: DataType | undefined;
}

export interface DotProduct {
  /** `[B, H, S, V]` */
  readonly y: Value;
  /** The scores `[B, H, S, L]`: of the product, after the softcap, with bias and mask, and after the softmax. */
  readonly product: Value;
  readonly capped: Value;
  readonly masked: Value;
  readonly weights: Value;
}

/**
 * `softmax(softcap(scale · q kᵀ) + bias) v`, over the keys that are allowed (Vaswani et al. 2017, arXiv 1706.03762).
 *
 * @param q `[B, H, S, D]`
 * @param k `[B, G, L, D]`, where each of the G heads serves H / G heads of q one after the other (arXiv 2305.13245)
 * @param v `[B, G, L, V]`
 */
export function scaledDotProduct(q: Value, k: Value, v: Value, options: DotProductOptions): DotProduct {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number];
  const groups = k.shape[1]!;
  const [keys, width] = [k.shape[2]!, v.shape[3]!];
  const shared = heads !== groups;
  const grouped = (x: Value, last: number): Value => (shared ? reshape(x, [batch, groups, heads / groups, queries, last]) : x);
  const across = (x: Value): Value => (shared ? reshape(x, [batch, groups, 1, ...x.shape.slice(2)]) : x);
  const turned = transpose(k, [0, 1, 3, 2]);
  const product = reshape(matMul(grouped(mul(q, options.scale), size), across(turned)), [batch, heads, queries, keys]);
  const softcap = options.softcap ?? 0;
  const capped = softcap > 0 ? mul(tanh(mul(product, 1 / softcap)), softcap) : product;
  const biased = options.bias ? add(capped, options.bias) : capped;
  const masked = options.allowed ? where(options.allowed, biased, Number.NEGATIVE_INFINITY) : biased;
  const open = options.emptyRows === "possible" ? openRows(q, options) : undefined;
  const scores = open ? where(open, masked, 0) : masked;
  const summed = cast(softmax(options.precision ? cast(scores, options.precision) : scores, -1), q.type);
  const weights = open ? where(open, summed, 0) : summed;
  const y = reshape(matMul(grouped(weights, keys), across(v)), [batch, heads, queries, width]);
  return { y, product, capped, masked, weights };
}

/** Rows with a key that is neither forbidden nor at a distance of -∞. */
function openRows(q: Value, { bias, allowed }: DotProductOptions): Value | undefined {
  const lowest = scalar(q.graph, Number.NEGATIVE_INFINITY, q.type);
  const rows = allowed ? where(allowed, bias ?? scalar(q.graph, 0, q.type), lowest) : bias;
  return rows && greater(reduceMax(rows, [-1], "keep"), lowest);
}

/** `[B, S, H·D]` to `[B, H, S, D]`. */
export function splitHeads(x: Value, heads: number, fail: (message: string) => never): Value {
  const [batch, length, width] = x.shape as [number, number, number];
  if (x.shape.length !== 3) fail(`queries, keys and values must be [batch, length, columns], not [${x.shape.join(", ")}]`);
  if (!(heads > 0) || width % heads !== 0) fail(`${heads} heads do not share ${width} columns evenly`);
  return transpose(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** `[B, H, S, D]` to `[B, S, H·D]`. */
export function joinHeads(x: Value): Value {
  const [batch, heads, length, width] = x.shape as [number, number, number, number];
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, heads * width]);
}
