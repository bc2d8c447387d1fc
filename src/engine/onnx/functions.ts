import { domainOf } from "./from-message.js";
import { microsoftNames } from "./microsoft-names.js";
import { ModelError } from "./model.js";
import { Names } from "./names.js";
import type { Messages } from "./schema.js";

type Graph = Messages["Graph"];
type Node = Messages["Node"];
type FunctionMessage = Messages["Function"];

/**
 * Replaces every call of a model-local function by the function's body: formal names by actual ones, inner names by fresh ones,
 * attribute references by the attributes of the call (or their defaults). A function that bears the name of an operator of ONNX Runtime's is not called.
 *
 * @throws ModelError when a function that is called calls itself, is written for another opset than the model, or the model grows beyond `maxNodes`:
 * ten functions that call each other twice make a thousand nodes, thirty make a billion.
 */
export function inlineFunctions(graph: Graph, functions: readonly FunctionMessage[], opset: number, maxNodes: number): Graph {
  if (functions.length === 0) return graph;
  const table = new Map<string, FunctionMessage>();
  for (const f of functions) {
    if (isBuiltIn(f)) continue;
    const key = keyOf(f.domain, f.name, f.overload);
    if (table.has(key)) throw new ModelError(`The model defines the function "${f.name}" twice; names must be unique.`);
    table.set(key, f);
  }
  return new Inliner(table, namesOf(graph), opset, maxNodes).graph(graph, []);
}

/**
 * Whether ONNX Runtime 1.30 runs an operator of its own where a function of that name is called. ONNX leaves it to the runtime which of the two
 * counts (onnx.proto, `ModelProto.functions`). ONNX Runtime asks its operators first, and lets no function add to ONNX's own sets.
 */
function isBuiltIn({ domain, name }: FunctionMessage): boolean {
  const set = domainOf(domain);
  return set === "" || set === "ai.onnx.ml" || (set === "com.microsoft" && microsoftNames.has(name ?? ""));
}

function keyOf(domain: string | undefined, name: string | undefined, overload: string | undefined): string {
  return JSON.stringify([domainOf(domain), name ?? "", overload ?? ""]);
}

/** Every name in a graph and its subgraphs. */
function namesOf(graph: Graph, names = new Names()): Names {
  for (const list of [graph.initializer, graph.input, graph.output, graph.valueInfo])
    for (const { name } of list ?? []) names.reserve(name ?? "");
  for (const node of graph.node ?? []) {
    for (const name of [...(node.input ?? []), ...(node.output ?? [])]) names.reserve(name);
    for (const { g } of node.attribute ?? []) if (g !== undefined) namesOf(g, names);
  }
  return names;
}

/** How the names and attribute references of a function body are read at one call. */
interface Binding {
  /** From a name in the body to its name in the model; grows as the body is walked. */
  readonly names: Map<string, string>;
  readonly attributes: ReadonlyMap<string, Messages["Attribute"]>;
  readonly prefix: string;
}

class Inliner {
  private nodes = 0;
  /** ONNX Runtime refuses two nodes of one name, as the bodies of a function called twice would have. */
  private readonly nodeNames = new Names();

  constructor(
    private readonly functions: ReadonlyMap<string, FunctionMessage>,
    private readonly taken: Names,
    private readonly opset: number,
    private readonly maxNodes: number,
  ) {}

  graph(graph: Graph, calls: readonly string[]): Graph {
    for (const { name } of graph.node ?? []) this.nodeNames.reserve(name ?? "");
    return { ...graph, node: (graph.node ?? []).flatMap((node) => this.node(node, calls)) };
  }

  private node(node: Node, calls: readonly string[]): Node[] {
    const key = keyOf(node.domain, node.opType, node.overload);
    const called = this.functions.get(key);
    if (++this.nodes > this.maxNodes) {
      throw new ModelError(`The model's functions expand to more than ${this.maxNodes} nodes; it is damaged or hostile.`);
    }
    if (called === undefined) {
      if (!node.attribute?.some(({ g }) => g !== undefined)) return [node];
      const attribute = node.attribute.map((a) => (a.g === undefined ? a : { ...a, g: this.graph(a.g, calls) }));
      return [{ ...node, attribute }];
    }
    if (calls.includes(key)) {
      const path = [...calls.slice(calls.indexOf(key)), key].map((k) => (JSON.parse(k) as string[])[1]);
      throw new ModelError(`The function "${called.name}" calls itself (${path.join(" -> ")}); recursion has no end in ONNX.`);
    }
    return this.body(called, node).flatMap((inner) => this.node(inner, [...calls, key]));
  }

  /** The body of a function as nodes of the caller, calls in it not yet expanded. */
  private body(called: FunctionMessage, call: Node): Node[] {
    const title = `The call "${call.name || call.output?.[0] || ""}" of the function "${called.name}"`;
    const own = called.opsetImport?.find((entry) => domainOf(entry.domain) === "")?.version;
    if (own !== undefined && own !== this.opset) {
      throw new ModelError(
        `The function "${called.name}" is written for opset ${own}, but the model for opset ${this.opset}; export it with one opset.`,
      );
    }
    const formal = called.input ?? [];
    const results = called.output ?? [];
    if ((call.input?.length ?? 0) > formal.length || (call.output?.length ?? 0) > results.length) {
      throw new ModelError(`${title} passes more inputs or outputs than the function has; the model is damaged.`);
    }
    const attributes = new Map((called.attributeProto ?? []).map((a) => [a.name ?? "", a]));
    for (const a of call.attribute ?? []) attributes.set(a.name ?? "", a);
    const binding = { names: new Map<string, string>(), attributes, prefix: shortened(call.name || called.name || "function") };
    for (const [i, name] of formal.entries()) binding.names.set(name, call.input?.[i] ?? "");
    const passed: Node[] = [];
    for (const [i, name] of results.entries()) {
      const actual = call.output?.[i] ?? "";
      if (actual === "") continue;
      // An input handed through, or one result under two names: the name in the body is taken already.
      if (binding.names.has(name)) passed.push({ opType: "Identity", input: [binding.names.get(name)!], output: [actual] });
      else binding.names.set(name, actual);
    }
    return [...(called.node ?? []).map((node) => this.bind(node, binding)), ...passed];
  }

  private bind(node: Node, binding: Binding): Node {
    const rename = (name: string) => (name === "" ? "" : this.nameIn(binding, name));
    const attribute: Messages["Attribute"][] = [];
    for (const a of node.attribute ?? []) {
      if (a.refAttrName !== undefined && a.refAttrName !== "") {
        const given = binding.attributes.get(a.refAttrName);
        if (given !== undefined) attribute.push({ ...given, name: a.name ?? "" });
      } else attribute.push(a.g === undefined ? a : { ...a, g: this.bindGraph(a.g, binding) });
    }
    const name = node.name ? shortened(`${binding.prefix}/${node.name}`) : binding.prefix;
    return {
      ...node,
      name: this.nodeNames.fresh(name),
      input: (node.input ?? []).map(rename),
      output: (node.output ?? []).map(rename),
      attribute,
    };
  }

  private bindGraph(graph: Graph, binding: Binding): Graph {
    // Names defined inside hide those of the body around, so they are bound anew.
    const inner = { ...binding, names: new Map(binding.names) };
    const own = [graph.input, graph.initializer].flatMap((list) => (list ?? []).map(({ name }) => name ?? ""));
    for (const name of [...own, ...(graph.node ?? []).flatMap((node) => node.output ?? [])])
      inner.names.set(name, this.fresh(binding, name));
    const renamed = <T extends { name?: string }>(list: T[] | undefined): T[] =>
      (list ?? []).map((item) => ({ ...item, name: this.nameIn(inner, item.name ?? "") }));
    return {
      ...graph,
      input: renamed(graph.input),
      output: renamed(graph.output),
      initializer: renamed(graph.initializer),
      valueInfo: [],
      node: (graph.node ?? []).map((node) => this.bind(node, inner)),
    };
  }

  private nameIn(binding: Binding, name: string): string {
    const known = binding.names.get(name);
    if (known !== undefined) return known;
    const fresh = this.fresh(binding, name);
    binding.names.set(name, fresh);
    return fresh;
  }

  private fresh(binding: Binding, name: string): string {
    return this.taken.fresh(shortened(`${binding.prefix}/${name}`));
  }
}

/** Names made from names made from names must not grow with each call; the end tells them apart best. */
function shortened(name: string): string {
  return name.length > 200 ? name.slice(-200) : name;
}
