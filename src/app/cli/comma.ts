/**
 * What was most likely meant by numbers with commas in which some comma stands for a point: `0,03`, `0,485,0,456,0,406`. Undefined where they read as a
 * list: whole numbers in pairs are taken for decimals where one of them begins with 0, as no list of numbers is written.
 *
 * @example pointsMeant("0,03") // "0.03"
 */
export function pointsMeant(text: string): string | undefined {
  const pairs = [...text.trim().matchAll(/(-?\d+),(\d+)(?:,|$)/g)];
  if (pairs.length === 0 || pairs.map(([pair]) => pair).join("") !== text.trim()) return undefined;
  const decimal = pairs.some(([, before, after]) => /^-?0$/.test(before!) || /^0\d/.test(after!));
  return decimal ? pairs.map(([, before, after]) => `${before}.${after}`).join(",") : undefined;
}

/** The sentence, for a flag whose numbers may be a list. */
export const commaWords = (text: string, meant: string): string =>
  meant.includes(",")
    ? `a comma stands between numbers; write ${meant}`
    : `a comma stands between the numbers of a list; for one number write ${meant}, for the list of both ${text.trim().replace(",", ".0,")}`;
