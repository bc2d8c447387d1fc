/**
 * The names of a list that are spelled most like the given one, the most alike first: those that begin with it, those that
 * contain it, then those of which at most a
 * third of its letters differ.
 *
 * @param most how many are given at most.
 * @example nearest("cls_logit", ["/head/cls_logits", "/head/boxes"], 3) // ["/head/cls_logits"]
 */
export function nearest(text: string, known: Iterable<string>, most = 1): string[] {
  const wanted = text.toLowerCase();
  const limit = Math.ceil(text.length / 3);
  const ranked: { readonly name: string; readonly distance: number }[] = [];
  for (const name of known) {
    const other = name.toLowerCase();
    if (wanted.length >= 3 && other.includes(wanted))
      ranked.push({ name, distance: (other.length - wanted.length) / other.length - (other.startsWith(wanted) ? 2 : 1) });
    else if (Math.abs(other.length - wanted.length) <= limit) {
      const distance = editDistance(wanted, other);
      if (distance <= limit) ranked.push({ name, distance });
    }
  }
  return ranked
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ name }) => name);
}

/** Levenshtein's: letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
