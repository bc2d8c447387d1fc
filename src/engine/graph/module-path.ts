/**
 * PyTorch's path of the module that a node belongs to, from the name that its exporter gives the node: `layer4.2.relu_2` for
 * `/layer4/layer4.2/relu_2/Relu` (a module that is called again has a number behind it). Undefined where the name holds no path.
 */
export function modulePath(nodeName: string): string | undefined {
  const parts = nodeName.split("/").filter((part) => part !== "");
  if (parts.length < 2) return undefined;
  const path: string[] = [];
  for (const part of parts.slice(0, -1)) {
    // members of a Sequential repeat its name: /layer1/layer1.0/conv1
    if (path.length > 0 && part.startsWith(`${path.at(-1)}.`)) path.pop();
    path.push(part);
  }
  return path.join(".");
}
