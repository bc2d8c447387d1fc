/**
 * Orders names as people count: "frame_2" before "frame_10". Runs of digits compare as numbers, everything else by code unit, so the
 * order is the same on every machine, whatever its language.
 *
 * @example ["b10", "b9", "a"].sort(naturalOrder) // "a", "b9", "b10"
 */
export function naturalOrder(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareRuns(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  // "07" and "7" are equal as numbers; the code units decide so that two different names are never equal.
  return left.length - right.length || codeUnitOrder(a, b);
}

/** The order of `Array.prototype.sort` and of Python's `sorted` on ASCII names. */
export function codeUnitOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareRuns(a: string, b: string): number {
  if (!/^\d/.test(a) || !/^\d/.test(b)) return codeUnitOrder(a, b);
  const x = a.replace(/^0+/, "");
  const y = b.replace(/^0+/, "");
  return x.length - y.length || codeUnitOrder(x, y);
}
