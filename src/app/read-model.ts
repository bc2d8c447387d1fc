import { resolve } from "node:path";
import type { OnnxModel } from "../engine/onnx/model.js";
import type { ReadOptions } from "../engine/onnx/read.js";
import { readModel } from "../engine/onnx/read-file.js";

const told = new Set<string>();

/**
 * As the engine's `readModel`. Where the model is in an element type that is computed in another, standard error says so, once for each file.
 *
 * @throws ModelError as that.
 */
export async function readModelAloud(path: string, options: Omit<ReadOptions, "externalData"> = {}): Promise<OnnxModel> {
  const model = await readModel(path, options);
  if (model.widened && !told.has(resolve(path))) {
    told.add(resolve(path));
    process.stderr.write(
      `note: ${path} is in ${model.widened} and is computed in float32; what it casts to ${model.widened} is rounded, other values keep more digits (docs/models.md)\n`,
    );
  }
  return model;
}
