import { copyAliases, copyNodes, neededNodes } from "../graph/copy.js";
import { Graph, type Node, type Value } from "../graph/graph.js";
import type { Provider } from "../runtime/engine.js";
import { Ranges } from "./ranges.js";

/**
 * One way to make a graph faster: a small, named rewrite of a node and what stands before it. Each lives in a file of its own in `rewrites/`,
 * with the pattern it looks for, the reason, and the measurement that earned it its place.
 *
 * A prediction must not change. What applies to all nodes keeps infinite and NaN elements where they are, and all others to the bit or to
 * rounding, as it says. What would not (a product with zeros where Where or Pad stood, numbers taken together whose product might overflow)
 * applies to nodes of the reverse sweep only.
 */
export interface Rewrite {
  readonly name: string;
  /** Which nodes it may replace: all, or those that the reverse sweep of automatic differentiation made. */
  readonly scope: "all" | "gradient";
  /** How far results agree with those before: to the bit (a zero may change its sign), or but for the rounding of another order of arithmetic. */
  readonly keeps: "bits" | "rounding";
  /** Execution providers it pays off (or is needed) on. */
  readonly providers: "all" | readonly Provider[];
  /** What was measured, and where: one line for docs/rewrites.md. */
  readonly measured: string;
  /** New values for the node's outputs (undefined keeps the node). Its inputs are rewritten already and belong to `context.graph`. */
  readonly apply: (node: Node, context: RewriteContext) => readonly Value[] | undefined;
}

/** Where a rewrite happens. */
export interface RewriteContext {
  /** The graph that is being built. */
  readonly graph: Graph;
  /** How many nodes and graph outputs use what the node has as its input of that number. */
  readonly uses: (input: number) => number;
  /** Whether no element of a value can be infinite or NaN; see `Range` for what that takes for granted. */
  readonly staysFinite: (v: Value) => boolean;
}

/** Rebuilds a graph node by node, letting the first rewrite that applies replace each node. */
export function rewrite(source: Graph, rewrites: readonly Pick<Rewrite, "scope" | "apply">[]): Graph {
  const target = new Graph();
  for (const name of source.values.keys()) target.names.reserve(name);
  const moved = new Map<Value, Value>();
  for (const v of source.inputs) moved.set(v, target.input(v.name, v.type, v.shape));
  const nodes = neededNodes(source.outputs.values());
  const count = usage(source, nodes);
  const ranges = new Ranges(target);
  const move = copyNodes(nodes, target, moved, {
    replace: (node, inputs) => {
      const context: RewriteContext = {
        graph: target,
        uses: (i) => count[node.inputs[i]?.id ?? -1] ?? 0,
        staysFinite: (v) => ranges.staysFinite(v),
      };
      const candidate = { ...node, inputs };
      for (const { scope, apply } of rewrites) {
        if (scope === "gradient" && node.sweep !== "reverse") continue;
        const outputs = apply(candidate, context);
        if (outputs) return outputs;
      }
      return undefined;
    },
  });
  for (const [name, v] of source.outputs) target.output(name, move(v));
  copyAliases(source, moved);
  return target;
}

/** How many nodes and graph outputs use each value, by its number. */
function usage(source: Graph, nodes: readonly Node[]): Uint32Array {
  const count = new Uint32Array(source.values.size);
  for (const node of nodes) for (const v of node.inputs) if (v) count[v.id]!++;
  for (const v of source.outputs.values()) count[v.id]!++;
  return count;
}
