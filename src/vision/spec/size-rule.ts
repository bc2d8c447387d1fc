/** Which image sizes a model takes. */
export type SizeRule = { rule: "any" } | { rule: "multiple"; of: number } | { rule: "fixed"; height: number; width: number };

/** How a size rule is written in one word. */
export const sizeWord = /^(?:any|multiple:[1-9]\d*|fixed:[1-9]\d*x[1-9]\d*)$/;

/**
 * A size rule as it is written on the command line and in a sidecar; undefined where it is none.
 *
 * @example parseSizeRule("multiple:32") // { rule: "multiple", of: 32 }
 */
export function parseSizeRule(text: string): SizeRule | undefined {
  if (!sizeWord.test(text)) return undefined;
  const [rule, sides = ""] = text.split(":");
  const [first, second] = sides.split("x").map(Number) as [number, number];
  if (rule === "any") return { rule };
  return rule === "multiple" ? { rule, of: first } : { rule: "fixed", height: first, width: second };
}
