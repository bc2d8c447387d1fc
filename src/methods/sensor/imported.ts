import { embed } from "../../engine/graph/embed.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { namePattern } from "../../engine/onnx/name-pattern.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import type { Network } from "../../vision/nn/model.js";
import { SensorError } from "./error.js";

export interface ImportedOptions {
  /** Patterns of initializers' names, with * for any letters, that are trained; default: none, the model stays as it is. */
  readonly trained?: readonly string[];
  /** Default: the first output. */
  readonly output?: string;
}

/**
 * An ONNX model as a network of ours, to be put behind a sensor or trained: its first input is the image. The model must be specialized to
 * the shape that it will get. Trained initializers are parameters by their names in the file and begin with their values there.
 *
 * @throws SensorError for an output or a pattern that names nothing.
 * @example
 * const eye = sensor({ layout: "rectangular", height: 48, width: 192 });
 * const pipeline = throughSensor(eye, importedNetwork(specialized), "image-wise");
 */
export function importedNetwork(model: OnnxModel, { trained = [], output }: ImportedOptions = {}): Network {
  const { inputs, outputs, initializers } = model.graph;
  const input = inputs.find(({ name }) => !initializers.has(name));
  const chosen = output ?? outputs[0]?.name;
  if (!input || !outputs.some(({ name }) => name === chosen))
    throw new SensorError(`The model has no output "${chosen}"; it has ${outputs.map(({ name }) => name).join(", ")}.`);
  const floats = [...initializers].filter((entry): entry is [string, Tensor<"float32">] => entry[1].type === "float32");
  const patterns = trained.map(namePattern);
  patterns.forEach((pattern, i) => {
    if (!floats.some(([name]) => pattern.test(name)))
      throw new SensorError(`The model has no float32 initializer called "${trained[i]}".`);
  });
  const learned = floats.filter(([name]) => patterns.some((pattern) => pattern.test(name)));
  return (p, image) => {
    const weights = learned.map(([name, { shape, data }]) => [name, p.parameter(name, shape, () => data.slice())] as const);
    return embed(p.graph, model, { [input.name]: image!, ...Object.fromEntries(weights) }).outputs[chosen!]!;
  };
}
