import { neededNodes } from "../graph/copy.js";
import type { Graph, Node, Value } from "../graph/graph.js";
import { bytesPerElement, sizeOf } from "../tensor/tensor.js";

/**
 * Floating-point operations of a node: 2 per multiply-add of convolutions and matrix products, 1 per output element of everything else that
 * computes, 0 of what only moves data.
 */
export function flops(node: Node): number {
  const [a, b] = node.inputs;
  const out = node.outputs[0] ? sizeOf(node.outputs[0].shape) : 0;
  switch (node.operator.name) {
    case "Conv":
      return 2 * out * sizeOf(b!.shape.slice(1));
    case "ConvTranspose":
      return 2 * sizeOf(a!.shape) * sizeOf(b!.shape.slice(1));
    case "MatMul":
      return 2 * out * a!.shape.at(-1)!;
    case "Gemm":
      return 2 * out * a!.shape[node.attributes.transA ? 0 : 1]!;
    case "Einsum":
      return 2 * sizeOf([...einsumExtents(node).values()]);
    case "MaxPool":
    case "AveragePool":
      return out * sizeOf((node.attributes.kernel_shape as readonly number[]) ?? [1]);
    default:
      return moving.has(node.operator.name) ? 0 : Math.max(out, node.operator.name.startsWith("Reduce") ? sizeOf(a!.shape) : 0);
  }
}

const moving = new Set(
  "Reshape Transpose Flatten Squeeze Unsqueeze Identity Slice Split Concat Pad Expand Tile Gather GatherElements GatherND Cast Dropout DepthToSpace SpaceToDepth Shape Constant ConstantOfShape Trilu".split(
    " ",
  ),
);

/** The extent of every letter of an Einsum: its product is the number of multiply-adds. */
function einsumExtents(node: Node): Map<string, number> {
  const terms = String(node.attributes.equation).split("->")[0]!.replaceAll(" ", "").split(",");
  const extents = new Map<string, number>();
  terms.forEach((term, i) => {
    [...term.replace("...", "")].forEach((letter, axis) => extents.set(letter, node.inputs[i]!.shape[axis] ?? 1));
  });
  return extents;
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
