import { namesRead } from "../check.js";
import type { OnnxGraph } from "../model.js";

/** Drops initializers that nothing reads, such as those of arguments that became attributes. */
export function withoutUnread(graph: OnnxGraph): OnnxGraph {
  const read = new Set<string>(graph.outputs.map(({ name }) => name));
  for (const node of graph.nodes) for (const name of namesRead(node)) read.add(name);
  for (const { name } of graph.inputs) read.add(name);
  return { ...graph, initializers: new Map([...graph.initializers].filter(([name]) => read.has(name))) };
}
