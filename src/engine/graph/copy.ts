import { sameShape } from "../tensor/tensor.js";
import { type Graph, GraphError, type Node, type Value } from "./graph.js";

/** The nodes that the given values depend on, in order of construction. */
export function neededNodes(values: Iterable<Value>): readonly Node[] {
  const needed = new Set<Node>();
  const stack: Value[] = [...values];
  const graph = stack[0]?.graph;
  for (let v = stack.pop(); v; v = stack.pop()) {
    if (!v.node || needed.has(v.node)) continue;
    needed.add(v.node);
    for (const input of v.node.inputs) if (input) stack.push(input);
  }
  return graph ? graph.nodes.filter((node) => needed.has(node)) : [];
}

export interface CopyOptions {
  /** Values that take the place of a node's outputs; undefined copies the node. Its inputs are given as they are in the target. */
  readonly replace?: (node: Node, inputs: readonly (Value | undefined)[]) => readonly Value[] | undefined;
  /** The name of a value in the target; default its own. */
  readonly nameOf?: (v: Value) => string;
}

/**
 * Copies nodes from one graph into another, with names and all: embedding, rewriting and folding are this with something in the place of
 * some values or nodes.
 *
 * @param nodes in an order in which each stands behind those it reads.
 * @param moved what stands for values that are not copied, inputs above all; what is copied is added.
 * @returns what a value became; constants are copied when they are asked for.
 */
export function copyNodes(
  nodes: Iterable<Node>,
  target: Graph,
  moved: Map<Value, Value>,
  { replace, nameOf = (v) => v.name }: CopyOptions = {},
): (v: Value) => Value {
  const move = (v: Value): Value => {
    const known = moved.get(v);
    if (known) return known;
    if (!v.constant) throw new GraphError(`"${v.name}" is not among what was copied.`);
    const made = target.constant(v.constant, nameOf(v), v.isWeight ? "weight" : "computed");
    moved.set(v, made);
    return made;
  };
  for (const node of nodes) {
    const inputs = node.inputs.map((v) => v && move(v));
    const outputs = target.during(
      node.sweep,
      () =>
        replace?.(node, inputs) ??
        target.add(node.operator, inputs, node.attributes, {
          name: node.name,
          requested: node.requested,
          captures: node.captures,
          outputNames: node.outputs.map(nameOf),
          ...(inputs.every((v, i) => isLike(v, node.inputs[i])) && { types: node.outputs }),
        }),
    );
    node.outputs.forEach((v, i) => {
      if (outputs[i] && !moved.has(v)) moved.set(v, outputs[i]);
    });
  }
  return move;
}

/** Whether what follows from one operand of a node follows from the other as well. */
function isLike(a: Value | undefined, b: Value | undefined): boolean {
  if (!a || !b) return a === b;
  return a.type === b.type && a.constant === b.constant && sameShape(a.shape, b.shape);
}

/** Carries the further names of values over to what they became. */
export function copyAliases(source: Graph, moved: ReadonlyMap<Value, Value>): void {
  for (const [name, v] of source.values) {
    const copy = name === v.name ? undefined : moved.get(v);
    copy?.graph.alias(name, copy);
  }
}
