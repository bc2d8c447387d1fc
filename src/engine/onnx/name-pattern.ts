import { nearest } from "./nearest.js";

/**
 * The names that a pattern means: itself, with * for any letters.
 *
 * @example namePattern("layer1.*.weight").test("layer1.0.conv1.weight") // true
 */
export const namePattern = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);

/**
 * What may have been meant by a pattern that names nothing: names and beginnings of names that are spelled like it, or else the first few names.
 *
 * @example likelyMeant("bakbone.*", ["backbone.0.weight", "head.weight"]) // "did you mean backbone.*?"
 */
export function likelyMeant(pattern: string, names: readonly string[]): string {
  const beginnings = names.flatMap((name) => {
    const steps = [...name.matchAll(/[./]/g)].map(({ index }) => `${name.slice(0, index + 1)}*`);
    return [...steps, name];
  });
  const alike = nearest(pattern, new Set(beginnings), 3).filter((name) => name !== "*");
  if (alike.length > 0) return `did you mean ${alike.join(" or ")}?`;
  const more = names.length > 5 ? `, and ${names.length - 5} more` : "";
  return `there are ${names.slice(0, 5).join(", ")}${more}.`;
}
