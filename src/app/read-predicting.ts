import type { OnnxModel } from "../engine/onnx/model.js";
import { type ModelSpec, namedOutputs } from "../vision/spec/model-spec.js";
import { readModelAloud } from "./read-model.js";

/**
 * Reads a model up to the prediction that its specification names: `output.name` is an output, or an inner value by its name in the file
 * (the logits before an ArgMax), where the model is cut.
 *
 * @throws ModelError as `readModel`, and for a name that nothing in the file bears.
 */
export const readPredicting = (path: string, spec: ModelSpec): Promise<OnnxModel> => {
  const outputs = namedOutputs(spec);
  return readModelAloud(path, outputs ? { outputs } : {});
};
