import { embed } from "../graph/embed.js";
import { Graph, GraphError, type Value } from "../graph/graph.js";
import type { GradientOptions } from "../graph/operator.js";
import type { OnnxModel } from "../onnx/model.js";
import { zerosLike } from "../operators/zeros.js";
import { isFloat } from "../tensor/tensor.js";
import { reverseSweep } from "./gradients.js";
import { ZeroGradientError } from "./obstacles.js";

export interface GradientModelOptions extends Partial<GradientOptions> {
  /** Outputs to differentiate; default every floating-point output. */
  readonly of?: readonly string[];
  /** Inputs (or initializers) to differentiate by; default every floating-point input. */
  readonly wrt?: readonly string[];
  /** Whether gradients of all weights (floating-point initializers of the file) are added. */
  readonly weights?: "include" | "leave out";
}

/**
 * The gradient of a model as a model: its own inputs and outputs, a cotangent input `v.<output>` for each differentiated output and a
 * gradient output `d.<input>` for each input (and `d.<initializer>`): the gradient of `Σ ⟨v, y⟩`.
 *
 * @param model specialised (static shapes).
 * @throws NotDifferentiableError listing every node in the way; ZeroGradientError where all gradients are 0 everywhere (where only some are,
 *   see `zeroGradients`); GraphError for names that do not exist.
 * @example const gradient = gradientModel(await specialise(model, { x: [1, 3, 224, 224] }, engine.evaluate));
 */
export function gradientModel(model: OnnxModel, options: GradientModelOptions = {}): OnnxModel {
  const graph = new Graph();
  const inputs: Record<string, Value> = {};
  for (const { name, type, shape } of model.graph.inputs) {
    if (!model.graph.initializers.has(name)) inputs[name] = graph.input(name, type, shape as readonly number[]);
  }
  const { outputs, values } = embed(graph, model, inputs);

  const of = options.of ?? Object.keys(outputs).filter((name) => isFloat(outputs[name]!.type));
  if (of.length === 0)
    throw new GraphError(
      `The model has no floating-point output to differentiate; its outputs are ${Object.values(outputs).join(", ")}.`,
    );
  const wrt = [...(options.wrt ?? Object.keys(inputs).filter((name) => isFloat(inputs[name]!.type)))];
  if (options.weights === "include") {
    for (const [name, t] of model.graph.initializers) {
      if (isFloat(t.type) && !wrt.includes(name) && !model.graph.constants?.has(name)) wrt.push(name);
    }
  }
  if (wrt.length === 0)
    throw new GraphError(`The model has no floating-point input; its inputs are ${Object.values(inputs).join(", ")}.`);
  for (const name of of) {
    if (!outputs[name])
      throw new GraphError(`The model has no output "${name}"; its outputs are ${Object.keys(outputs).join(", ")}.`);
  }
  const sources = wrt.map((name) => {
    const value = values.get(name);
    if (!value)
      throw new GraphError(`The model has no input or initializer "${name}"; its inputs are ${Object.keys(inputs).join(", ")}.`);
    return value;
  });

  for (const [name, value] of Object.entries(outputs)) graph.output(name, value);
  const seeds = of.map((name) => ({
    of: outputs[name]!,
    cotangent: graph.input(`v.${name}`, outputs[name]!.type, outputs[name]!.shape),
  }));
  const { cotangents, ends } = reverseSweep(seeds, sources, options);
  if (cotangents.every((g) => g === undefined)) throw new ZeroGradientError(of, wrt, ends);
  wrt.forEach((name, i) => graph.output(`d.${name}`, cotangents[i] ?? zerosLike(sources[i]!)));
  return graph.build();
}
