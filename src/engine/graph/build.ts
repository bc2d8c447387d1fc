import { subgraphs } from "../onnx/check.js";
import {
  type Attribute,
  canonicalIrVersion,
  canonicalOpset,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type ValueInfo,
} from "../onnx/model.js";
import { Names } from "../onnx/names.js";
import type { Tensor } from "../tensor/tensor.js";
import { neededNodes } from "./copy.js";
import { Graph, GraphError, type Node, type Value } from "./graph.js";

/** Writes the graph out as a model: the nodes that its outputs need, in order of construction. */
export function buildModel(graph: Graph): OnnxModel {
  if (graph.outputs.size === 0)
    throw new GraphError("The graph has no outputs; name at least one with graph.output(name, value).");
  const needed = neededNodes(graph.outputs.values()).filter((node) => node.operator.domain !== "faultline");
  const bodies = bodiesOf(needed);
  const names = naming(graph, bodies);
  const nameOf = names.of;
  const initializers = new Map<string, Tensor>();
  const valueInfo = new Map<string, ValueInfo>();
  const nodes: OnnxNode[] = [];
  // ONNX Runtime refuses two nodes of one name, as models put together may have
  const nodeNames = new Names();
  const used = new Set<Value>(
    [...graph.outputs.values(), ...needed.flatMap((node) => node.inputs)].flatMap((v) => (v ? [aliased(v)] : [])),
  );
  const reference = (v: Value | undefined): string => {
    if (!v) return "";
    const source = aliased(v);
    if (source.constant) initializers.set(nameOf(source), source.constant);
    return nameOf(source);
  };
  for (const node of needed) {
    const { operator, inputs, captures } = node;
    const outputs = node.outputs.map((v, i) => (used.has(v) || isAskedFor(node, i) ? nameOf(v) : ""));
    while (outputs.at(-1) === "") outputs.pop();
    node.outputs.forEach((v, i) => {
      if (outputs[i]) valueInfo.set(outputs[i], { name: outputs[i], type: v.type, shape: v.shape });
    });
    const read = inputs.map(reference);
    const outside = new Map(captures.map((name, i) => [name, read[inputs.length - captures.length + i]!]));
    nodes.push({
      name: node.name && nodeNames.claim(node.name),
      op: operator.name,
      domain: operator.domain,
      inputs: read.slice(0, inputs.length - captures.length),
      outputs,
      attributes: attributesOf(node, bodies, outside, names.inside),
    });
  }
  // An output that is an input, a constant or a second name of a value needs a node of its own.
  for (const [name, value] of graph.outputs) {
    const source = aliased(value);
    if (nameOf(source) === name) continue;
    nodes.push({ name: "", op: "Identity", domain: "", inputs: [reference(source)], outputs: [name], attributes: {} });
    valueInfo.set(name, { name, type: source.type, shape: source.shape });
  }
  return {
    irVersion: canonicalIrVersion,
    opset: canonicalOpset,
    customOpsets: Object.fromEntries(versionsOf(needed)),
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

/** How values are called in the file: no name twice. */
interface Naming {
  /** An output's own name where the value can simply bear it. */
  readonly of: (v: Value) => string;
  /** For a name that a subgraph defines: ONNX wants it to be none of those around it. */
  readonly inside: (name: string) => string;
}

function naming(graph: Graph, bodies: Bodies): Naming {
  const names = new Names();
  const given = new Map<Value, string>();
  for (const v of graph.inputs) given.set(v, names.claim(v.name));
  for (const [name, value] of graph.outputs) {
    const source = aliased(value);
    if (!names.has(name)) names.claim(name);
    if (source.node && !given.has(source)) given.set(source, name);
  }
  const inner = new Set<string>();
  for (const body of bodies.values()) for (const name of [...ownNames(body), ...namesWithin(body)]) inner.add(name);
  const outer = new Set([...graph.inputs.map((v) => v.name), ...graph.outputs.keys()]);
  for (const name of inner) names.reserve(name);
  return {
    of: (v) => {
      const known = given.get(v);
      if (known !== undefined) return known;
      const name = inner.has(v.name) ? names.fresh(v.name) : names.claim(v.name);
      given.set(v, name);
      return name;
    },
    inside: (name) => (outer.has(name) ? names.fresh(name) : name),
  };
}

/** Optional outputs that nothing uses are not asked for, nor those that the file left out. */
function isAskedFor({ operator, requested }: Node, i: number): boolean {
  return requested[i] === true && !(operator.outputs[i]?.endsWith("?") ?? false);
}

/** @throws GraphError where the graph was put together from nodes of two versions of one operator set. */
function versionsOf(nodes: readonly Node[], versions = new Map<string, number>()): Map<string, number> {
  for (const { operator, attributes } of nodes) {
    for (const value of Object.values(attributes))
      if (value instanceof Graph) versionsOf(neededNodes(value.outputs.values()), versions);
    const { domain, version = 1 } = operator;
    if (domain === "") continue;
    const known = versions.get(domain) ?? version;
    if (known !== version)
      throw new GraphError(
        `The graph has operators of versions ${known} and ${version} of "${domain}", and a file can name one only.`,
      );
    versions.set(domain, version);
  }
  return versions;
}

/** The graphs that nodes hold, as a file has them, by what the nodes have as attributes. */
type Bodies = ReadonlyMap<unknown, OnnxGraph>;

function bodiesOf(nodes: readonly Node[]): Bodies {
  const bodies = new Map<unknown, OnnxGraph>();
  for (const { attributes, captures } of nodes) {
    for (const value of Object.values(attributes)) {
      if (value instanceof Graph) {
        const { graph } = buildModel(value);
        bodies.set(value, { ...graph, inputs: graph.inputs.filter(({ name }) => !captures.includes(name)) });
      } else if (isGraph(value)) bodies.set(value, value);
    }
  }
  return bodies;
}

/** Follows Faultline's own markers (`stopGradient`, `withGradient`), which exist for the reverse sweep alone, to the value they stand for. */
function aliased(v: Value): Value {
  let value = v;
  while (value.node?.operator.domain === "faultline") value = value.node.inputs[0]!;
  return value;
}

/** @param outside the names in the file for what subgraphs read from outside. */
function attributesOf(
  node: Node,
  bodies: Bodies,
  outside: ReadonlyMap<string, string>,
  inside: Naming["inside"],
): Record<string, Attribute> {
  const written = Object.entries(node.attributes).flatMap(([name, value]): [string, Attribute][] => {
    const { kind, default: fallback } = node.operator.attributes[name]!;
    if (sameValue(value, fallback)) return [];
    const body = bodies.get(value);
    return [[name, { kind, value: body ? renamed(body, outside, inside) : value } as Attribute]];
  });
  return Object.fromEntries(written);
}

const isGraph = (value: unknown): value is OnnxGraph =>
  typeof value === "object" && value !== null && "nodes" in value && "initializers" in value;

/** The names that a graph itself defines. */
const ownNames = (graph: OnnxGraph): string[] =>
  [...graph.inputs.map((i) => i.name), ...graph.initializers.keys(), ...graph.nodes.flatMap((n) => n.outputs)].filter(Boolean);

const namesWithin = (graph: OnnxGraph): string[] =>
  graph.nodes.flatMap((node) => subgraphs(node).flatMap((g) => [...ownNames(g), ...namesWithin(g)]));

/** A subgraph with new names for what it takes from outside, and for what it defines. */
function renamed(graph: OnnxGraph, outside: ReadonlyMap<string, string>, inside: Naming["inside"]): OnnxGraph {
  const visible = new Map([...outside, ...ownNames(graph).map((name) => [name, inside(name)] as const)]);
  const rename = (name: string): string => visible.get(name) ?? name;
  const infos = (list: readonly ValueInfo[]) => list.map((info) => ({ ...info, name: rename(info.name) }));
  const attribute = (a: Attribute): Attribute => (a.kind === "graph" ? { ...a, value: renamed(a.value, visible, inside) } : a);
  return {
    ...graph,
    inputs: infos(graph.inputs),
    outputs: infos(graph.outputs),
    initializers: new Map([...graph.initializers].map(([name, t]) => [rename(name), t])),
    valueInfo: new Map(infos([...graph.valueInfo.values()]).map((info) => [info.name, info])),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
      attributes: Object.fromEntries(Object.entries(node.attributes).map(([key, a]) => [key, attribute(a)])),
    })),
  };
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => v === b[i]);
  return a === b;
}
