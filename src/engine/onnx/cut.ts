import { ModelError } from "./model.js";
import { nearest } from "./nearest.js";
import type { Messages } from "./schema.js";

type Graph = Messages["Graph"];
type Node = Messages["Node"];

/**
 * The part of a graph that computes the named values, which become its outputs. What lies beyond is not looked at: it may be of any type
 * and shape, and of operators that nobody knows. Inputs that only served what lies beyond go with it.
 *
 * @throws ModelError for a name that nothing in the graph bears, with the nearest there are.
 */
export function cutGraph(graph: Graph, names: readonly string[]): Graph {
  const makers = new Map<string, Node>();
  for (const node of graph.node ?? []) for (const name of node.output ?? []) if (name !== "") makers.set(name, node);
  const sources = new Set([...(graph.input ?? []), ...(graph.initializer ?? [])].map(({ name }) => name ?? ""));
  for (const { values } of graph.sparseInitializer ?? []) sources.add(values?.name ?? "");
  for (const name of names) {
    if (makers.has(name) || sources.has(name)) continue;
    const alike = nearest(name, makers.keys(), 3);
    const inner = (graph.node ?? []).some((node) => subgraphs(node).some((g) => definesInside(g, name)));
    throw new ModelError(
      inner
        ? `"${name}" lies inside a loop or branch of the model; name a value of its main graph.`
        : `The model has no value "${name}"; ${
            alike.length > 0
              ? `the nearest names are ${alike.map((n) => `"${n}"`).join(", ")}`
              : `its outputs are ${(graph.output ?? []).map((o) => o.name).join(", ")}`
          }.`,
    );
  }
  const needed = new Set<Node>();
  const read = new Set<string>();
  const stack = [...names];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (read.has(name)) continue;
    read.add(name);
    const maker = makers.get(name);
    if (!maker || needed.has(maker)) continue;
    needed.add(maker);
    stack.push(...namesRead(maker));
  }
  const stated = new Map(
    [...(graph.valueInfo ?? []), ...(graph.input ?? []), ...(graph.output ?? [])].map((v) => [v.name ?? "", v]),
  );
  const isRead = ({ name }: { name?: string }) => read.has(name ?? "");
  return {
    ...graph,
    node: (graph.node ?? []).filter((node) => needed.has(node)),
    input: (graph.input ?? []).filter(isRead),
    initializer: (graph.initializer ?? []).filter(isRead),
    sparseInitializer: (graph.sparseInitializer ?? []).filter(({ values }) => isRead(values ?? {})),
    output: [...new Set(names)].map((name) => stated.get(name) ?? { name }),
    valueInfo: (graph.valueInfo ?? []).filter(isRead),
  };
}

const subgraphs = (node: Node): Graph[] => (node.attribute ?? []).flatMap(({ g }) => (g === undefined ? [] : [g]));

/** What a node and its subgraphs read; names that a subgraph defines itself do no harm, for nothing outside makes them. */
function namesRead(node: Node): string[] {
  const inside = subgraphs(node).flatMap((g) => [
    ...(g.node ?? []).flatMap(namesRead),
    ...(g.output ?? []).map(({ name }) => name ?? ""),
  ]);
  return [...(node.input ?? []).filter((name) => name !== ""), ...inside];
}

function definesInside(graph: Graph, name: string): boolean {
  return (graph.node ?? []).some(
    (node) => (node.output ?? []).includes(name) || subgraphs(node).some((g) => definesInside(g, name)),
  );
}
