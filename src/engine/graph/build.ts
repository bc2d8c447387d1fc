import { type Attribute, canonicalOpset, type OnnxModel, type OnnxNode, type ValueInfo } from "../onnx/model.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Graph, GraphError, type Node, type Value } from "./graph.js";
import type { AttributeKind } from "./operator.js";

/** Writes the graph out as a model: the nodes that its outputs need, in order of construction. */
export function buildModel(graph: Graph): OnnxModel {
  if (graph.outputs.size === 0)
    throw new GraphError("The graph has no outputs; name at least one with graph.output(name, value).");
  const needed = neededNodes([...graph.outputs.values()]);
  const names = outputNames(graph);
  const taken = new Set([...names.values(), ...graph.outputs.keys(), ...graph.inputs.map((v) => v.name)]);
  const nameOf = (v: Value): string => {
    const known = names.get(v);
    if (known !== undefined) return known;
    const source = aliased(v);
    if (source !== v) return nameOf(source);
    let name = v.name;
    for (let i = 1; taken.has(name) && v.origin.kind !== "input"; i++) name = `${v.name}_v${i}`;
    taken.add(name);
    names.set(v, name);
    return name;
  };

  const initializers = new Map<string, Tensor>();
  const valueInfo = new Map<string, ValueInfo>();
  const nodes: OnnxNode[] = [];
  const nodeNames = new Set<string>();
  const used = new Set<Value>(graph.outputs.values());
  for (const node of needed) for (const v of node.inputs) if (v) used.add(v);
  const reference = (v: Value | undefined): string => {
    if (!v) return "";
    const source = aliased(v);
    if (source.constant) initializers.set(nameOf(source), source.constant);
    return nameOf(source);
  };
  for (const node of graph.nodes) {
    if (!needed.has(node) || node.operator.domain === "faultline") continue;
    // Optional outputs that nothing uses are not asked for.
    const isOptional = (i: number) => node.operator.outputs[i]?.endsWith("?") ?? false;
    const outputs = node.outputs.map((v, i) => (!isOptional(i) || used.has(v) ? nameOf(v) : ""));
    while (outputs.at(-1) === "") outputs.pop();
    node.outputs.forEach((v, i) => {
      if (outputs[i]) valueInfo.set(outputs[i], { name: outputs[i], type: v.type, shape: v.shape });
    });
    // ONNX Runtime refuses two nodes of one name, as models put together may have
    const name = nodeNames.has(node.name) ? "" : node.name;
    if (name !== "") nodeNames.add(name);
    nodes.push({
      name,
      op: node.operator.name,
      domain: node.operator.domain,
      inputs: node.inputs.map(reference),
      outputs,
      attributes: writtenAttributes(node),
    });
  }
  // An output that is an input, a constant or a second name of a value needs a node of its own.
  for (const [name, value] of graph.outputs) {
    const source = aliased(value);
    if (nameOf(source) === name) continue;
    nodes.push({ name: "", op: "Identity", domain: "", inputs: [reference(source)], outputs: [name], attributes: {} });
  }
  const customOpsets: Record<string, number> = {};
  for (const n of nodes) if (n.domain !== "") customOpsets[n.domain] = 1;
  return {
    irVersion: 8,
    opset: canonicalOpset,
    customOpsets,
    producer: "faultline",
    metadata: {},
    graph: {
      name: "faultline",
      inputs: graph.inputs.map((v) => ({ name: v.name, type: v.type, shape: v.shape })),
      outputs: [...graph.outputs].map(([name, v]) => ({ name, type: v.type, shape: v.shape })),
      initializers,
      nodes,
      valueInfo,
    },
  };
}

/** The nodes that the given values depend on. */
export function neededNodes(values: readonly Value[]): Set<Node> {
  const needed = new Set<Node>();
  const stack = values.flatMap((v) => v.node ?? []);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    for (const v of node.inputs) if (v?.node) stack.push(v.node);
  }
  return needed;
}

/** Follows Faultline's own markers (`stopGradient`, `withGradient`), which exist for the reverse sweep alone, to the value they stand for. */
function aliased(v: Value): Value {
  let value = v;
  while (value.node?.operator.domain === "faultline") value = value.node.inputs[0]!;
  return value;
}

/** Values that can simply bear the name of the output they are. */
function outputNames(graph: Graph): Map<Value, string> {
  const names = new Map<Value, string>();
  for (const [name, value] of graph.outputs) {
    const source = aliased(value);
    if (source.origin.kind === "node" && !names.has(source)) names.set(source, name);
  }
  return names;
}

/** Attributes of a node as a file has them: defaults are left out. */
export function writtenAttributes(node: Node): Record<string, Attribute> {
  const written: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(node.attributes)) {
    const spec = node.operator.attributes[name]!;
    if (sameValue(value, spec.default)) continue;
    written[name] = { kind: spec.kind as AttributeKind, value } as Attribute;
  }
  return written;
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => v === b[i]);
  return a === b;
}
