import { embed } from "../../engine/graph/embed.js";
import { Graph, GraphError, type Node, type Value } from "../../engine/graph/graph.js";
import { likelyMeant, namePattern } from "../../engine/onnx/name-pattern.js";
import { cast, concat, slice } from "../../engine/operators/index.js";
import { isFloat, type Tensor, toNumbers } from "../../engine/tensor/tensor.js";
import type { Network } from "../nn/model.js";
import { ParameterError, type Scope } from "../nn/scope.js";
import { type ModelSpec, namedOutputs } from "./model-spec.js";
import { postprocess, preprocess } from "./splice.js";

export interface ImportedOptions {
  /** What the model takes and yields. */
  readonly spec: ModelSpec;
  /** Patterns of initializers' names, with * for any letters, that are trained; default: none, the model stays as it is. */
  readonly trained?: readonly string[];
  /** Patterns of those among them that stay as they are all the same. */
  readonly frozen?: readonly string[];
}

/**
 * An ONNX model as a network of ours, from RGB images [N, 3, h, w] in [0, 1] to its task's prediction: to be put behind a sensor, and trained
 * if wished, or trained by itself. Trained initializers are parameters by their names in the file, with their values there to begin with.
 *
 * @param models the model specialized to the shapes that it will meet. One that is fixed to a smaller batch is applied part by part.
 * @throws ParameterError for a pattern that names nothing, and (when the network is built) for images that no specialization fits.
 * @example
 * const fixed = await fixedModel(file, spec, { batch: 8, height: 48, width: 192 }, engine.evaluate, { keep: "weights" });
 * const pipeline = throughSensor(sensor({ layout: "rectangular", height: 48, width: 192 }), importedNetwork([fixed], { spec }), "image-wise");
 */
export function importedNetwork(models: readonly Graph[], { spec, trained = [], frozen = [] }: ImportedOptions): Network {
  const known = [...new Set(models.flatMap((model) => weightsOf(model).map(([name]) => name)))];
  const matcher = (names: readonly string[]) => {
    const patterns = names.map(namePattern);
    patterns.forEach((pattern, i) => {
      if (!known.some((name) => pattern.test(name)))
        throw new ParameterError(
          known.length === 0
            ? "The model has no floating-point weights that could be trained."
            : `The model has no trainable weight called "${names[i]}"; ${likelyMeant(names[i]!, known)}`,
        );
    });
    return (name: string) => patterns.some((pattern) => pattern.test(name));
  };
  const [learned, stays] = [matcher(trained), matcher(frozen)];
  const learns = (name: string) => learned(name) && !stays(name);
  return (p, image) => {
    if (!image) throw new ParameterError("An imported network takes one image.");
    const [n, , height, width] = image.shape as [number, number, number, number];
    const prepared = preprocess(image, spec);
    const model = models
      .filter((m) => fits(m.inputs[0]!.shape, prepared.shape))
      .sort((a, b) => b.inputs[0]!.shape[0]! - a.inputs[0]!.shape[0]!)[0];
    if (!model)
      throw new ParameterError(
        `The model is specialized to [${models.map((m) => m.inputs[0]!.shape.join(", ")).join("] and [")}], none of which fits [${prepared.shape.join(", ")}].`,
      );
    const batch = model.inputs[0]!.shape[0]!;
    const parts = Array.from({ length: n / batch }, (_, i) =>
      apply(p, model, n === batch ? prepared : slice(prepared, [i * batch], [(i + 1) * batch], { axes: [0] }), spec, learns),
    );
    return postprocess([concat(parts, 0)], spec, [height, width]);
  };
}

function apply(p: Scope, model: Graph, image: Value, spec: ModelSpec, learns: (name: string) => boolean): Value {
  const weights = weightsOf(model)
    .filter(([name]) => learns(name))
    .map(([name, t]) => {
      // Weights of other precision are trained as float32, and rounded where the model takes them.
      const parameter = p.parameter(name, t.shape, () => Float32Array.from(toNumbers(t)));
      return [name, cast(parameter, t.type)] as const;
    });
  const [input] = model.inputs;
  const { outputs } = embed(p.graph, model, { [input!.name]: cast(image, input!.type), ...Object.fromEntries(weights) });
  const [output] = namedOutputs(spec) ?? Object.keys(outputs);
  const raw = outputs[output!];
  if (!raw) throw new ParameterError(`The model has no output "${output}"; it has ${Object.keys(outputs).join(", ")}.`);
  return cast(raw, "float32");
}

/** Floating-point initializers by name, but for those that an operator needs to know beforehand (the scales of a Resize). */
function weightsOf({ values, nodes }: Graph): (readonly [string, Tensor])[] {
  const fixed = new Set(nodes.flatMap((node) => node.inputs.filter((v, i) => v?.isWeight && isKnownBeforehand(node, i))));
  return [...values].flatMap(([name, v]) =>
    v.isWeight && v.constant && isFloat(v.constant.type) && !fixed.has(v) ? [[name, v.constant] as const] : [],
  );
}

/** Whether a node cannot be built while this operand is unknown. */
function isKnownBeforehand({ operator, inputs, attributes, outputs }: Node, which: number): boolean {
  const graph = new Graph();
  const operands = inputs.map((v, i) =>
    v?.constant && i !== which ? graph.constant(v.constant) : v && graph.input(`${i}`, v.type, v.shape),
  );
  try {
    graph.add(operator, operands, attributes, { outputCount: outputs.length });
    return false;
  } catch (error) {
    if (error instanceof GraphError) return true;
    throw error;
  }
}

/** Whether the batch can be cut into parts of the model's. */
const fits = ([batch, ...rest]: readonly number[], [n, ...given]: readonly number[]): boolean =>
  n! % batch! === 0 && rest.join() === given.join();
