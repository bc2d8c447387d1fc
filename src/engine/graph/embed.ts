import { describe, sameShape } from "../tensor/tensor.js";
import { copyAliases, copyNodes } from "./copy.js";
import { type Graph, GraphError, type Value } from "./graph.js";

/** A graph that has become part of another. */
export interface Embedded {
  /** The graph's outputs, by name. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Every value of the graph by its names there: inputs, weights, inner values. */
  readonly values: ReadonlyMap<string, Value>;
}

/**
 * Copies a graph into another: its inputs become the given values, its nodes are added, and its outputs are returned. This is how
 * preprocessing, losses and several models are put together.
 *
 * @param inputs a value for each input of the graph; names of constants may be given too and replace the stored weights (training).
 * @throws GraphError when an input is missing or misfits.
 * @example
 * const x = graph.input("image", "float32", [1, 3, 224, 224]);
 * const { outputs } = embed(graph, await specialize(model, ...), { input: div(sub(x, mean), std) });
 */
export function embed(target: Graph, source: Graph, inputs: Readonly<Record<string, Value>>): Embedded {
  const moved = new Map<Value, Value>();
  for (const [name, given] of Object.entries(inputs)) {
    const place = source.values.get(name);
    if (!place || place.node)
      throw new GraphError(`The model has no input "${name}"; its inputs are ${source.inputs.map((i) => i.name).join(", ")}.`);
    if (given.type !== place.type || !sameShape(given.shape, place.shape))
      throw new GraphError(`The model's input "${name}" is ${describe(place)}, but ${describe(given)} was given.`);
    moved.set(place, given);
  }
  for (const { name } of source.inputs)
    if (!moved.has(source.values.get(name)!)) throw new GraphError(`No value was given for the model's input "${name}".`);
  const move = copyNodes(source.nodes, target, moved);
  const outputs = Object.fromEntries([...source.outputs].map(([name, v]) => [name, move(v)]));
  copyAliases(source, moved);
  return { outputs, values: new Map([...source.values].map(([name, v]) => [name, move(v)])) };
}
