import type { Value } from "../../graph/graph.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { gather } from "../indexing/gather.js";
import { concat } from "../layout/concat.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";

export interface Rotated {
  /** `[B, H, S, D]`, or `[B, S, H·D]`. */
  readonly x: Value;
  /** `[positions, R / 2]`, or `[B, S, R / 2]` where there are no positions. */
  readonly cos: Value;
  readonly sin: Value;
  /** The position of each token, `[B, S]`. */
  readonly positions: Value | undefined;
}

export interface RotationOptions {
  readonly heads: number | undefined;
  /** Which entries are rotated together: those half a head apart, or neighbors. */
  readonly pairs: "halves" | "neighbors";
  /** How many entries R of each head are rotated; 0 means all. */
  readonly size: number;
}

/** Rotates pairs of entries by angles that depend on the position (Su et al. 2021, arXiv 2104.09864). */
export function rotate(
  { x, cos, sin, positions }: Rotated,
  { heads, pairs, size }: RotationOptions,
  fail: (message: string) => never,
): Value {
  const headsFirst = x.shape.length === 4;
  if (!headsFirst && x.shape.length !== 3) fail("X must be [B, H, S, D] or [B, S, H·D]");
  if (!headsFirst && (!heads || x.shape[2]! % heads !== 0)) fail("num_heads must divide the last axis of X");
  const [batch, length] = headsFirst ? [x.shape[0]!, x.shape[2]!] : [x.shape[0]!, x.shape[1]!];
  const full = headsFirst ? x : reshape(x, [batch, length, heads!, x.shape[2]! / heads!]);
  const width = full.shape[3]!;
  const turned = size === 0 ? width : size;
  const half = turned / 2;
  if (turned % 2 !== 0 || turned > width) fail(`it cannot rotate ${turned} of ${width} entries of a head`);
  const table = (cache: Value): Value => {
    const rows = positions ? gather(cache, positions, 0) : cache;
    if (rows.shape.length !== 3 || rows.shape[2] !== half) fail(`the caches must hold ${half} numbers for each position`);
    const [b, s] = rows.shape as [number, number];
    return reshape(rows, headsFirst ? [b, 1, s, half] : [b, s, 1, half]);
  };
  const part = (from: number, until: number, step = 1): Value => slice(full, [from], [until], { axes: [3], steps: [step] });
  const [a, b] = pairs === "halves" ? [part(0, half), part(half, turned)] : [part(0, turned, 2), part(1, turned, 2)];
  const [c, s] = [table(cos), table(sin)];
  const [first, second] = [sub(mul(c, a), mul(s, b)), add(mul(s, a), mul(c, b))];
  const single = [...first.shape, 1];
  const joined =
    pairs === "halves"
      ? concat([first, second], 3)
      : reshape(concat([reshape(first, single), reshape(second, single)], 4), [...first.shape.slice(0, 3), turned]);
  const whole = turned === width ? joined : concat([joined, part(turned, width)], 3);
  return headsFirst ? whole : reshape(whole, x.shape);
}
