import { copyAliases, copyNodes, neededNodes } from "../graph/copy.js";
import { Graph, type Node, type Value } from "../graph/graph.js";
import type { Provider } from "../runtime/engine.js";

/**
 * One way to make a graph faster: a small, named, exact rewrite of a node and what stands before it. Each lives in a file of its own in
 * `rewrites/`, with the pattern it looks for, the reason, and the measurement that earned it its place.
 */
export interface Rewrite {
  readonly name: string;
  /** Execution providers it pays off (or is needed) on. */
  readonly providers: "all" | readonly Provider[];
  /** What was measured, and where: one line for docs/rewrites.md. */
  readonly measured: string;
  /** New values for the node's outputs (undefined keeps the node). Inputs are already rewritten and belong to `site.graph`. */
  readonly apply: (node: Node, inputs: readonly (Value | undefined)[], site: Site) => readonly Value[] | undefined;
}

/** Where a rewrite happens. */
export interface Site {
  /** The graph that is being built. */
  readonly graph: Graph;
  /** How many nodes and graph outputs use an output of the original node. */
  readonly uses: (original: Value) => number;
  /** The nodes that use an output of the original node. */
  readonly users: (original: Value) => readonly Node[];
}

/** Rebuilds a graph node by node, letting the first rewrite that applies replace each node. */
export function rewrite(source: Graph, rewrites: readonly Pick<Rewrite, "apply">[]): Graph {
  const target = new Graph();
  for (const name of source.values.keys()) target.names.reserve(name);
  const moved = new Map<Value, Value>();
  for (const v of source.inputs) moved.set(v, target.input(v.name, v.type, v.shape));
  const nodes = neededNodes(source.outputs.values());
  const site: Site = { graph: target, ...usage(source, nodes) };
  const move = copyNodes(nodes, target, moved, {
    replace: (node, inputs) => {
      for (const { apply } of rewrites) {
        const outputs = apply(node, inputs, site);
        if (outputs) return outputs;
      }
      return undefined;
    },
  });
  for (const [name, v] of source.outputs) target.output(name, move(v));
  copyAliases(source, moved);
  return target;
}

function usage(source: Graph, nodes: readonly Node[]): Pick<Site, "uses" | "users"> {
  const users = new Map<Value, Node[]>();
  const count = new Map<Value, number>();
  const use = (v: Value) => count.set(v, (count.get(v) ?? 0) + 1);
  for (const node of nodes) {
    for (const v of node.inputs) {
      if (!v) continue;
      use(v);
      const known = users.get(v);
      if (known) known.push(node);
      else users.set(v, [node]);
    }
  }
  for (const v of source.outputs.values()) use(v);
  return { uses: (v) => count.get(v) ?? 0, users: (v) => users.get(v) ?? [] };
}
