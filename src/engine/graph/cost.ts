import { bytesPerElement, sizeOf } from "../tensor/tensor.js";
import { neededNodes } from "./copy.js";
import type { Graph, Node, Value } from "./graph.js";

/** Floating-point operations of a node, as its operator says: 2 per multiply-add, 0 of what only moves data, else 1 per output element. */
export function flops(node: Node): number {
  const { flops: rule } = node.operator;
  if (rule === "none") return 0;
  return rule ? rule(node) : sizeOf(node.outputs[0]?.shape ?? [0]);
}

export function bytesOf(v: Value): number {
  return sizeOf(v.shape) * bytesPerElement(v.type);
}

/** Constants, and what is made of constants alone: the runtime computes it when it loads the graph, and holds it as it holds weights. */
export function fixedValues(nodes: Iterable<Node>): { has(v: Value): boolean } {
  const fixed = new Set<Value>();
  const has = (v: Value): boolean => v.constant !== undefined || fixed.has(v);
  for (const { inputs, outputs, operator } of nodes)
    if (!operator.random && inputs.every((v) => !v || has(v))) for (const v of outputs) fixed.add(v);
  return { has };
}

/**
 * Most bytes of inner values that are alive at once when the graph is run node by node in order, each value freed after its last use. ONNX
 * Runtime fuses and reuses, so this is an estimate; weights, and what is made of them alone, come on top.
 */
export function peakMemory(graph: Graph): number {
  const order = neededNodes(graph.outputs.values());
  const fixed = fixedValues(order);
  const lastUse = new Map<Value, number>();
  order.forEach((node, i) => {
    for (const v of node.inputs) if (v && !fixed.has(v)) lastUse.set(v, i);
  });
  for (const v of graph.outputs.values()) if (!fixed.has(v)) lastUse.set(v, order.length);
  const free = new Map<number, number>();
  for (const [v, i] of lastUse) free.set(i, (free.get(i) ?? 0) + bytesOf(v));
  let live = graph.inputs.filter((v) => lastUse.has(v)).reduce((sum, v) => sum + bytesOf(v), 0);
  let peak = live;
  order.forEach((node, i) => {
    for (const v of node.outputs) if (lastUse.has(v)) live += bytesOf(v);
    peak = Math.max(peak, live);
    live -= free.get(i) ?? 0;
  });
  return peak;
}
