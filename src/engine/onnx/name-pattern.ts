/**
 * The names that a pattern means: itself, with * for any letters.
 *
 * @example namePattern("layer1.*.weight").test("layer1.0.conv1.weight") // true
 */
export const namePattern = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
