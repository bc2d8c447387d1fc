/**
 * The middle one of values in order; of an even number of them the mean of the middle two, as NumPy has it. NaN where there are none.
 *
 * @example median([3, 1, 2, 8]) // 2.5
 */
export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
