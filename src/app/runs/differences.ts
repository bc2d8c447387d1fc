/**
 * In what two plans differ, a phrase for each setting. Hashes are not shown: what they stand for holds something else now.
 *
 * @example differences({ config: { steps: 6 } }, { config: { steps: 7 } }) // ["steps is 6 there and 7 now"]
 */
export function differences(there: unknown, now: unknown, path: readonly string[] = []): string[] {
  if (JSON.stringify(there) === JSON.stringify(now)) return [];
  if (isTree(there) && isTree(now))
    return [...new Set([...Object.keys(there), ...Object.keys(now)])].flatMap((key) =>
      differences(there[key], now[key], [...path, key]),
    );
  const hashed = [there, now].filter((v) => !isAbsent(v)).every(isHash);
  if (hashed) return [`${nameOf(path.filter((part) => part !== "sha256" && part !== "path"))} holds something else now`];
  return [`${nameOf(path)} is ${shown(there)} there and ${shown(now)} now`];
}

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isAbsent = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0);

const isHash = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 && value.every(isHash) : typeof value === "string" && /^[0-9a-f]{64}$/.test(value);

/** A training's configuration is the whole of its plan to whoever wrote it. */
const nameOf = (path: readonly string[]): string => path.filter((part) => part !== "config").join(".");

function shown(value: unknown): string {
  if (isAbsent(value)) return "not said";
  if (typeof value === "string") return value;
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
