import { embed } from "../../engine/graph/embed.js";
import type { Graph, Value } from "../../engine/graph/graph.js";
import { namePattern } from "../../engine/onnx/name-pattern.js";
import { concat, slice } from "../../engine/operators/index.js";
import type { Network } from "../nn/model.js";
import { ParameterError, type Scope } from "../nn/scope.js";
import type { ModelSpec } from "./model-spec.js";
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
  const known = models.flatMap((model) => weightsOf(model).map(([name]) => name));
  const matcher = (names: readonly string[]) => {
    const patterns = names.map(namePattern);
    patterns.forEach((pattern, i) => {
      if (!known.some((name) => pattern.test(name)))
        throw new ParameterError(
          `The model has no float32 weight called "${names[i]}"; its weights are called ${known.slice(0, 3).join(", ") || "nothing"}.`,
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
    return postprocess(concat(parts, 0), spec, [height, width]);
  };
}

function apply(p: Scope, model: Graph, image: Value, spec: ModelSpec, learns: (name: string) => boolean): Value {
  const weights = weightsOf(model)
    .filter(([name]) => learns(name))
    .map(([name, { shape, data }]) => [name, p.parameter(name, shape, () => (data as Float32Array).slice())] as const);
  const { outputs } = embed(p.graph, model, { [model.inputs[0]!.name]: image, ...Object.fromEntries(weights) });
  const output = spec.output.name ?? Object.keys(outputs)[0]!;
  const raw = outputs[output];
  if (!raw) throw new ParameterError(`The model has no output "${output}"; it has ${Object.keys(outputs).join(", ")}.`);
  return raw;
}

const weightsOf = ({ values }: Graph) =>
  [...values].flatMap(([name, v]) => (v.isWeight && v.constant?.type === "float32" ? [[name, v.constant] as const] : []));

/** Whether the batch can be cut into parts of the model's. */
const fits = ([batch, ...rest]: readonly number[], [n, ...given]: readonly number[]): boolean =>
  n! % batch! === 0 && rest.join() === given.join();
