import { embed } from "../graph/embed.js";
import { Graph, GraphError, type Value } from "../graph/graph.js";
import type { GradientOptions } from "../graph/operator.js";
import { Names } from "../onnx/names.js";
import { nearest } from "../onnx/nearest.js";
import { isZeros, zerosLike } from "../operators/zeros.js";
import { isFloat } from "../tensor/tensor.js";
import { forwardSweep } from "./forward.js";
import { reverseSweep, waysTo } from "./gradients.js";
import { ZeroGradientError } from "./obstacles.js";

export interface TangentGraphOptions extends Partial<GradientOptions> {
  /** Outputs to differentiate, or inner values by their names; default every floating-point output. */
  readonly of?: readonly string[];
  /** Inputs (or weights, or inner values) to differentiate by; default every floating-point input. */
  readonly wrt?: readonly string[];
}

export interface GradientGraphOptions extends TangentGraphOptions {
  /** Whether gradients of all weights (floating-point initializers of the file) are added. */
  readonly weights?: "include" | "leave out";
}

/**
 * A graph with its gradient: its own inputs and outputs, a cotangent input `v.<output>` for each differentiated output and a gradient output
 * `d.<input>` for each input (and `d.<initializer>`): the gradient of `Σ ⟨v, y⟩`. Names that the graph uses itself get a number, so that a
 * gradient has a gradient.
 *
 * @throws NotDifferentiableError listing every node in the way; ZeroGradientError where all gradients are 0 everywhere (for which of them are,
 *   where only some, see `zeroOutputs`); GraphError for names that do not exist.
 * @example const gradient = gradientGraph(await specialize(model, { x: [1, 3, 224, 224] }, engine.evaluate));
 */
export function gradientGraph(source: Graph, options: GradientGraphOptions = {}): Graph {
  const { graph, names, of, wrt } = opened(source, options, options.weights === "include" ? weightNames(source) : []);
  const seeds = of.map(([name, v]) => ({ of: v, cotangent: graph.input(names.fresh(`v.${name}`), v.type, v.shape) }));
  const { cotangents, ends } = reverseSweep(seeds, wrt.map(second), options);
  if (cotangents.every((g) => g === undefined)) throw new ZeroGradientError(of.map(first), wrt.map(first), ends);
  wrt.forEach(([name, v], i) => graph.output(names.fresh(`d.${name}`), cotangents[i] ?? zerosLike(v)));
  return graph;
}

/**
 * A graph with its directional derivative (forward mode): its own inputs and outputs, a tangent input `t.<input>` for each input that moves
 * and a tangent output `t.<output>` for each differentiated output, J t. See `jacobianVectorProduct`.
 *
 * @throws as `gradientGraph`.
 * @example const tangent = tangentGraph(await specialize(model, { x: [1, 3, 224, 224] }, engine.evaluate));
 */
export function tangentGraph(source: Graph, options: TangentGraphOptions = {}): Graph {
  const { graph, names, of, wrt } = opened(source, options, []);
  const tangents = wrt.map(([name, v]) => ({
    wrt: v,
    tangent: graph.input(names.fresh(`t.${name}`), v.type, v.shape),
  }));
  const moved = forwardSweep(of.map(second), tangents, options);
  if (moved.every((t) => t === undefined)) {
    const { ends } = reverseSweep(
      of.map(([, v]) => ({ of: v, cotangent: v })),
      wrt.map(second),
      options,
    );
    throw new ZeroGradientError(of.map(first), wrt.map(first), ends);
  }
  of.forEach(([name, v], i) => graph.output(names.fresh(`t.${name}`), moved[i] ?? zerosLike(v)));
  return graph;
}

/** Names of the outputs of a gradient or tangent graph that are 0 whatever its inputs are, for nothing differentiable leads there. */
export function zeroOutputs(graph: Graph): string[] {
  return [...graph.outputs].flatMap(([name, v]) => (isZeros(v) ? [name] : []));
}

type Named = readonly [name: string, value: Value];
const first = ([name]: Named): string => name;
const second = ([, value]: Named): Value => value;

/** A copy of the graph to add derivatives to, with what is differentiated, and by what. */
function opened(source: Graph, options: TangentGraphOptions, weights: readonly string[]) {
  const graph = new Graph();
  for (const name of source.values.keys()) graph.names.reserve(name);
  const inputs = new Map(source.inputs.map(({ name, type, shape }) => [name, graph.input(name, type, shape)]));
  const { outputs: embedded, values } = embed(graph, source, Object.fromEntries(inputs));
  // In the file's order, which a record has not where names are numbers.
  const outputs = new Map([...source.outputs.keys()].map((name) => [name, embedded[name]!]));
  const find = (name: string, known: ReadonlyMap<string, Value>, others: string): Named => {
    const value = known.get(name) ?? values.get(name);
    if (value) return [name, value];
    const alike = nearest(name, values.keys(), 3);
    throw new GraphError(
      `The model has no value "${name}"; ${alike.length > 0 ? `the nearest names are ${alike.map((n) => `"${n}"`).join(", ")}` : `its ${others} are ${[...known.keys()].join(", ")}`}.`,
    );
  };
  const floats = (known: ReadonlyMap<string, Value>) => [...known].flatMap(([name, v]) => (isFloat(v.type) ? [name] : []));
  const of = (options.of ?? floats(outputs)).map((name) => find(name, outputs, "outputs"));
  const wrt = [...new Set([...(options.wrt ?? floats(inputs)), ...weights])].map((name) => find(name, inputs, "inputs"));
  if (wrt.length === 0)
    throw new GraphError(`The model has no floating-point input; its inputs are ${[...inputs.values()].join(", ")}.`);
  if (of.length === 0) {
    const { ends } = waysTo([...outputs.values()], wrt.map(second));
    if (ends.nodes.length > 0) throw new ZeroGradientError([...outputs.keys()], wrt.map(first), ends);
    throw new GraphError(
      `The model has no floating-point output to differentiate; its outputs are ${[...outputs.values()].join(", ")}.`,
    );
  }
  for (const [name, value] of outputs) graph.output(name, value);
  return { graph, names: namesBeside(source), of, wrt };
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
