import type { OnnxModel } from "../onnx/model.js";

/**
 * ONNX Runtime's binding puts results into a plain object by their names, where `__proto__` is no place: such an output goes by another name on its way.
 */
const lost = "__proto__";
const standIn = "__proto__ (output)";

export const sentName = (name: string): string => (name === lost ? standIn : name);
export const ownName = (name: string): string => (name === standIn ? lost : name);

/** The model with a second name for an output that would be lost. */
export function withSentNames(model: OnnxModel): OnnxModel {
  const { graph } = model;
  if (!graph.outputs.some(({ name }) => name === lost)) return model;
  const copy = { name: "", op: "Identity", domain: "", inputs: [lost], outputs: [standIn], attributes: {} };
  const outputs = graph.outputs.map((output) => ({ ...output, name: sentName(output.name) }));
  return { ...model, graph: { ...graph, nodes: [...graph.nodes, copy], outputs } };
}
