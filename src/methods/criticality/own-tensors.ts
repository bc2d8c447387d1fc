import type { OnnxModel, OnnxNode } from "../../engine/onnx/model.js";
import type { Tensor } from "../../engine/tensor/tensor.js";

/**
 * Gives every tensor that exporters merged a tensor of its own again. PyTorch's exporter stores equal tensors once and lets the others be
 * `Identity` of it, so that in a fresh network all batch normalizations share one weight: resetting one would reset all.
 *
 * @param model as read from the file, before `specialize` (which drops Identity).
 */
export function ownTensors(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const initializers = new Map(graph.initializers);
  const nodes: OnnxNode[] = [];
  for (const node of graph.nodes) {
    const source = node.op === "Identity" && node.domain === "" ? initializers.get(node.inputs[0]!) : undefined;
    const name = node.outputs[0]!;
    if (source && !outputs.has(name)) initializers.set(name, copyOf(source));
    else nodes.push(node);
  }
  return { ...model, graph: { ...graph, nodes, initializers } };
}

export const copyOf = (t: Tensor): Tensor => ({ type: t.type, shape: [...t.shape], data: t.data.slice() }) as Tensor;
