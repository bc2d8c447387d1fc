import { embed } from "../../engine/graph/embed.js";
import type { Graph, Value } from "../../engine/graph/graph.js";
import { namePattern } from "../../engine/onnx/name-pattern.js";
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
export function importedNetwork(model: Graph, { trained = [], output }: ImportedOptions = {}): Network {
  const [input] = model.inputs;
  const outputs = [...model.outputs.keys()];
  const chosen = output ?? outputs[0];
  if (!input || chosen === undefined || !outputs.includes(chosen))
    throw new SensorError(`The model has no output "${chosen}"; it has ${outputs.join(", ")}.`);
  const floats = [...model.values].filter(([name, v]) => v.constant?.type === "float32" && v.name === name);
  const patterns = trained.map(namePattern);
  patterns.forEach((pattern, i) => {
    if (!floats.some(([name]) => pattern.test(name)))
      throw new SensorError(`The model has no float32 initializer called "${trained[i]}".`);
  });
  const learned = floats.filter(([name]) => patterns.some((pattern) => pattern.test(name)));
  return (p, image) => {
    const weights = learned.map(([name, v]) => [name, p.parameter(name, v.shape, () => numbersOf(v).slice())] as const);
    return embed(p.graph, model, { [input.name]: image!, ...Object.fromEntries(weights) }).outputs[chosen]!;
  };
}

const numbersOf = (v: Value): Float32Array => v.constant!.data as Float32Array;
