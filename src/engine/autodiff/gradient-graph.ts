import { embed } from "../graph/embed.js";
import { Graph, GraphError, type Value } from "../graph/graph.js";
import type { GradientOptions } from "../graph/operator.js";
import { Names } from "../onnx/names.js";
import { zerosLike } from "../operators/zeros.js";
import { isFloat } from "../tensor/tensor.js";
import { reverseSweep } from "./gradients.js";
import { ZeroGradientError } from "./obstacles.js";

export interface GradientGraphOptions extends Partial<GradientOptions> {
  /** Outputs to differentiate; default every floating-point output. */
  readonly of?: readonly string[];
  /** Inputs (or weights, or inner values) to differentiate by; default every floating-point input. */
  readonly wrt?: readonly string[];
  /** Whether gradients of all weights (floating-point initializers of the file) are added. */
  readonly weights?: "include" | "leave out";
}

/**
 * A graph with its gradient: its own inputs and outputs, a cotangent input `v.<output>` for each differentiated output and a gradient output
 * `d.<input>` for each input (and `d.<initializer>`): the gradient of `Σ ⟨v, y⟩`. Names that the graph uses itself get a number, so that a
 * gradient has a gradient.
 *
 * @throws NotDifferentiableError listing every node in the way; ZeroGradientError where all gradients are 0 everywhere (where only some are,
 *   see `zeroGradients`); GraphError for names that do not exist.
 * @example const gradient = gradientGraph(await specialize(model, { x: [1, 3, 224, 224] }, engine.evaluate));
 */
export function gradientGraph(source: Graph, options: GradientGraphOptions = {}): Graph {
  const graph = new Graph();
  for (const name of source.values.keys()) graph.names.reserve(name);
  const inputs = new Map(source.inputs.map(({ name, type, shape }) => [name, graph.input(name, type, shape)]));
  const { outputs: embedded, values } = embed(graph, source, Object.fromEntries(inputs));
  const outputs = new Map(Object.entries(embedded));

  const of = options.of ?? [...outputs].flatMap(([name, v]) => (isFloat(v.type) ? [name] : []));
  if (of.length === 0)
    throw new GraphError(
      `The model has no floating-point output to differentiate; its outputs are ${[...outputs.values()].join(", ")}.`,
    );
  const wrt = [...(options.wrt ?? [...inputs].flatMap(([name, v]) => (isFloat(v.type) ? [name] : [])))];
  if (options.weights === "include") wrt.push(...weightNames(source).filter((name) => !wrt.includes(name)));
  if (wrt.length === 0)
    throw new GraphError(`The model has no floating-point input; its inputs are ${[...inputs.values()].join(", ")}.`);
  const differentiated = of.map((name): Value => {
    const value = outputs.get(name);
    if (!value) throw new GraphError(`The model has no output "${name}"; its outputs are ${[...outputs.keys()].join(", ")}.`);
    return value;
  });
  const sources = wrt.map((name): Value => {
    const value = values.get(name);
    if (!value)
      throw new GraphError(`The model has no input or initializer "${name}"; its inputs are ${[...inputs.keys()].join(", ")}.`);
    return value;
  });

  const names = namesBeside(source);
  for (const [name, value] of outputs) graph.output(name, value);
  const seeds = differentiated.map((v, i) => ({
    of: v,
    cotangent: graph.input(names.fresh(`v.${of[i]}`), v.type, v.shape),
  }));
  const { cotangents, ends } = reverseSweep(seeds, sources, options);
  if (cotangents.every((g) => g === undefined)) throw new ZeroGradientError(of, wrt, ends);
  wrt.forEach((name, i) => graph.output(names.fresh(`d.${name}`), cotangents[i] ?? zerosLike(sources[i]!)));
  return graph;
}

/** For names of what is added to a graph: all that it uses itself are taken. */
export function namesBeside(graph: Graph): Names {
  const names = new Names();
  for (const name of [...graph.values.keys(), ...graph.outputs.keys()]) names.reserve(name);
  return names;
}

/** Names of the floating-point weights that the outputs depend on. */
export function weightNames(graph: Graph): string[] {
  const weights = [...graph.values.values()].filter(
    (v) => v.origin.kind === "constant" && v.origin.role === "weight" && isFloat(v.type),
  );
  return [...new Set(weights)].map((v) => v.name);
}
