export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median of some runs, after one that is not counted, in the unit of the clock. */
export async function medianTime(work: () => Promise<unknown>, runs: number, now: () => number): Promise<number> {
  await work();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const begin = now();
    await work();
    times.push(now() - begin);
  }
  return median(times);
}
