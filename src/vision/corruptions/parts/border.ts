/**
 * Where a filter looks beyond a picture's edge: at the edge itself ("edge"), at the picture mirrored with its edge twice ("symmetric": c b a | a b c) or once
 * ("mirror": c b | a b c). Any distance works, for pictures smaller than the filter too.
 */
export type Border = "edge" | "symmetric" | "mirror";

/** The index in 0..n-1 that stands for `i`. */
export function within(i: number, n: number, border: Border): number {
  if (i >= 0 && i < n) return i;
  if (border === "edge" || n === 1) return i < 0 ? 0 : n - 1;
  const period = border === "symmetric" ? 2 * n : 2 * n - 2;
  const j = ((i % period) + period) % period;
  return j < n ? j : period - j - (border === "symmetric" ? 1 : 0);
}
