import { neededNodes } from "../graph/build.js";
import { embed } from "../graph/embed.js";
import { Graph, type Node, type Value } from "../graph/graph.js";
import type { OnnxModel } from "../onnx/model.js";
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

/** A static model as a graph of its own: inputs, outputs and names as in the model. */
export function graphOf(model: OnnxModel): Graph {
  const graph = new Graph();
  const defaults = model.graph.initializers;
  const inputs = Object.fromEntries(
    model.graph.inputs
      .filter((i) => !defaults.has(i.name))
      .map((i) => [i.name, graph.input(i.name, i.type, (i.shape ?? []) as number[])]),
  );
  const { outputs } = embed(graph, model, inputs);
  for (const [name, value] of Object.entries(outputs)) graph.output(name, value);
  return graph;
}

/** Rebuilds a graph node by node, letting the first rewrite that applies replace each node. */
export function rewrite(source: Graph, rewrites: readonly Rewrite[]): Graph {
  const target = new Graph();
  const moved = new Map<Value, Value>();
  for (const v of source.inputs) moved.set(v, target.input(v.name, v.type, v.shape));
  const needed = neededNodes([...source.outputs.values()]);
  const users = new Map<Value, Node[]>();
  const count = new Map<Value, number>();
  const use = (v: Value) => count.set(v, (count.get(v) ?? 0) + 1);
  for (const node of needed) {
    for (const v of node.inputs) {
      if (!v) continue;
      use(v);
      const known = users.get(v);
      if (known) known.push(node);
      else users.set(v, [node]);
    }
  }
  for (const v of source.outputs.values()) use(v);
  const site: Site = { graph: target, uses: (v) => count.get(v) ?? 0, users: (v) => users.get(v) ?? [] };
  const move = (v: Value): Value => {
    const known = moved.get(v);
    if (known) return known;
    const made = target.constant(v.constant!, v.name);
    moved.set(v, made);
    return made;
  };
  for (const node of source.nodes) {
    if (!needed.has(node)) continue;
    const inputs = node.inputs.map((v) => v && move(v));
    let outputs: readonly Value[] | undefined;
    for (const one of rewrites) {
      outputs = one.apply(node, inputs, site);
      if (outputs) break;
    }
    outputs ??= target.add(node.operator, inputs, node.attributes, {
      outputCount: node.outputs.length,
      name: node.name,
      outputNames: node.outputs.map((v) => v.name),
    });
    node.outputs.forEach((v, i) => {
      if (outputs![i]) moved.set(v, outputs![i]!);
    });
  }
  for (const [name, v] of source.outputs) target.output(name, move(v));
  return target;
}
