import { namesRead } from "./check.js";
import type { OnnxGraph } from "./model.js";

/** Drops what a rewrite left behind: initializers that nothing reads, and statements about values that are no more. */
export function withoutUnread(graph: OnnxGraph): OnnxGraph {
  const read = new Set<string>(graph.outputs.map(({ name }) => name));
  for (const node of graph.nodes) for (const name of namesRead(node)) read.add(name);
  for (const { name } of graph.inputs) read.add(name);
  const initializers = new Map([...graph.initializers].filter(([name]) => read.has(name)));
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const valueInfo = new Map([...graph.valueInfo].filter(([name]) => made.has(name)));
  return { ...graph, initializers, valueInfo };
}
