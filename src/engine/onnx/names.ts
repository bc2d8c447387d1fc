import { subgraphs } from "./check.js";
import type { OnnxGraph } from "./model.js";

/** Names in use, and fresh ones beside them. */
export class Names {
  private readonly taken = new Set<string>();
  /** The next suffix to try, so that many names of one stem do not take quadratic time. */
  private readonly next = new Map<string, number>();

  add(name: string): void {
    this.taken.add(name);
  }

  /** `stem` itself where it is free, else `stem.1`, `stem.2` and so on. */
  take(stem: string): string {
    let suffix = this.next.get(stem) ?? 0;
    let name = suffix === 0 ? stem : `${stem}.${suffix}`;
    while (this.taken.has(name)) name = `${stem}.${++suffix}`;
    this.next.set(stem, suffix + 1);
    this.taken.add(name);
    return name;
  }
}

/** Every name in a graph and its subgraphs. */
export function allNames(graph: OnnxGraph, names = new Names()): Names {
  for (const { name } of [...graph.inputs, ...graph.outputs]) names.add(name);
  for (const name of graph.initializers.keys()) names.add(name);
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...node.outputs]) names.add(name);
    for (const inner of subgraphs(node)) allNames(inner, names);
  }
  return names;
}
