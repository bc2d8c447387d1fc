/**
 * What files or folders are called beside each other: each by its own name, with as many of the folders before it as tell them apart, and never more, so that
 * nothing of a machine's layout is shown that nobody asks for. The same path twice gets a number.
 *
 * @example distinctNames(["/a/one/model.onnx", "/a/two/model.onnx"]) // ["one/model.onnx", "two/model.onnx"]
 */
export function distinctNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split(/[\\/]+/).filter((part) => part !== "" && part !== "."));
  const tails = (length: number) => parts.map((p) => p.slice(-length).join("/") || "/");
  const count = (names: readonly string[]) => new Set(names).size;
  const longest = Math.max(1, ...parts.map((p) => p.length));
  const most = count(tails(longest));
  let length = 1;
  while (count(tails(length)) < most) length++;
  const names = tails(length);
  return names.map((name, i) => {
    if (names.indexOf(name) === names.lastIndexOf(name)) return name;
    return `${name} (${names.slice(0, i + 1).filter((other) => other === name).length})`;
  });
}
