import { ModelError, type OnnxGraph, type OnnxNode } from "./model.js";

/** Names a node as errors do: `Conv "conv1"`, or by its output where it has no name. */
export function nodeTitle(node: Pick<OnnxNode, "name" | "op" | "domain" | "outputs">): string {
  const op = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
  if (node.name !== "") return `${op} "${node.name}"`;
  const output = node.outputs.find((name) => name !== "");
  return output === undefined ? op : `${op} (which makes "${output}")`;
}

/** The names that a node reads: its inputs and what its subgraphs take from outside. */
export function namesRead(node: OnnxNode): string[] {
  const names = node.inputs.filter((name) => name !== "");
  for (const graph of subgraphs(node)) names.push(...captures(graph));
  return names;
}

export function subgraphs(node: OnnxNode): OnnxGraph[] {
  return Object.values(node.attributes).flatMap((attribute) => (attribute.kind === "graph" ? [attribute.value] : []));
}

/** Names that a subgraph uses but does not define. */
function captures(graph: OnnxGraph): string[] {
  const own = new Set([...graph.inputs.map((input) => input.name), ...graph.initializers.keys()]);
  for (const node of graph.nodes) for (const name of node.outputs) own.add(name);
  const outside = new Set<string>();
  for (const node of graph.nodes) for (const name of namesRead(node)) if (!own.has(name)) outside.add(name);
  for (const output of graph.outputs) if (!own.has(output.name)) outside.add(output.name);
  return [...outside];
}

/**
 * Checks that every name is defined once and before it is used, and returns the graph with its nodes in topological order: as they
 * stand where they are sorted already. `outer` holds the names that an enclosing graph defines.
 *
 * @throws ModelError on a name defined twice, an undefined name, or a cycle.
 */
export function checkGraph(graph: OnnxGraph, outer: ReadonlySet<string> = new Set()): OnnxGraph {
  const where = graph.name === "" ? "The graph" : `Graph "${graph.name}"`;
  const known = new Set(outer);
  const defined = new Map<string, string>();
  const define = (name: string, what: string) => {
    const before = defined.get(name);
    if (before !== undefined)
      throw new ModelError(`${where} defines "${name}" twice: as ${before} and as ${what}; names must be unique.`);
    defined.set(name, what);
    known.add(name);
  };
  for (const input of graph.inputs) define(input.name, "an input");
  for (const name of graph.initializers.keys()) if (defined.get(name) !== "an input") define(name, "an initializer");
  const maker = new Map<string, number>();
  for (const [i, node] of graph.nodes.entries()) {
    for (const name of node.outputs) {
      if (name === "") continue;
      define(name, `an output of ${nodeTitle(node)}`);
      maker.set(name, i);
    }
  }
  const outputs = new Set<string>();
  for (const { name } of graph.outputs) {
    if (!known.has(name)) throw new ModelError(`${where} has the output "${name}", which nothing makes.`);
    if (outputs.has(name)) throw new ModelError(`${where} lists the output "${name}" twice; names must be unique.`);
    outputs.add(name);
  }
  const sorted = sort(graph, maker, known, where);
  return { ...graph, nodes: sorted.map((node) => checkSubgraphs(node, known)) };
}

function checkSubgraphs(node: OnnxNode, known: ReadonlySet<string>): OnnxNode {
  if (subgraphs(node).length === 0) return node;
  const attributes = Object.entries(node.attributes).map(([key, attribute]) => {
    return [key, attribute.kind === "graph" ? { ...attribute, value: checkGraph(attribute.value, known) } : attribute] as const;
  });
  return { ...node, attributes: Object.fromEntries(attributes) };
}

/** Depth-first search in file order, with its own stack: a chain of a hundred thousand nodes must not end in a stack overflow. */
function sort(graph: OnnxGraph, maker: ReadonlyMap<string, number>, known: ReadonlySet<string>, where: string): OnnxNode[] {
  const { nodes } = graph;
  const needs = nodes.map((node) => {
    const names = namesRead(node);
    const missing = names.find((name) => !known.has(name));
    if (missing !== undefined) {
      throw new ModelError(
        `${where}: ${nodeTitle(node)} reads "${missing}", which is no input, initializer or output of another node.`,
      );
    }
    return names.flatMap((name) => maker.get(name) ?? []);
  });
  const state = new Uint8Array(nodes.length); // 0 untouched, 1 on the stack, 2 done
  const sorted: OnnxNode[] = [];
  for (let start = 0; start < nodes.length; start++) {
    if (state[start] === 2) continue;
    const stack: { node: number; next: number }[] = [{ node: start, next: 0 }];
    state[start] = 1;
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const need = needs[top.node]![top.next++];
      if (need === undefined) {
        stack.pop();
        state[top.node] = 2;
        sorted.push(nodes[top.node]!);
      } else if (state[need] === 1) {
        const cycle = stack.slice(stack.findIndex((entry) => entry.node === need)).map((entry) => nodeTitle(nodes[entry.node]!));
        const shown = cycle.length > 5 ? [...cycle.slice(0, 5), `${cycle.length - 5} more`] : cycle;
        throw new ModelError(`${where} has a cycle through ${shown.join(", ")}; a model must not feed back into itself.`);
      } else if (state[need] === 0) {
        state[need] = 1;
        stack.push({ node: need, next: 0 });
      }
    }
  }
  return sorted;
}
