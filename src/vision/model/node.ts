import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseModel } from "../../engine/onnx/index.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { readModel } from "../../engine/onnx/read-file.js";
import { createEngine } from "../../engine/runtime/node.js";
import { SpecError } from "../spec/error.js";
import type { ModelSpecInput } from "../spec/model-spec.js";
import { sidecarOf } from "../spec/sidecar.js";
import { type LoadOptions, openModel } from "./load.js";
import type { LoadedModel } from "./loaded-model.js";

/**
 * Loads a model from disk (with external data beside it), or from the bytes of an ONNX file, and starts an engine for it, unless one is given.
 *
 * @param spec what the model takes and yields; default what stands in `net.spec.json` beside `net.onnx`. What neither says is the usual value, and is
 *   named in `model.assumed` and in the warnings of every result.
 * @throws ModelError, SpecError, EngineError in one sentence when the file, the specification or the runtime is not sound, or they do not fit.
 * @example
 * await using model = await loadModel("net.onnx", { task: "classification", range: "imagenet" });
 * const result = await attack(model, images, labels, cospgd({ epsilon: 8 / 255 }));
 */
export async function loadModel(
  source: string | URL | Uint8Array | ArrayBuffer | OnnxModel,
  spec?: ModelSpecInput,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  const path = source instanceof URL ? fileURLToPath(source) : source;
  if (typeof path !== "string") {
    const file = path instanceof Uint8Array || path instanceof ArrayBuffer ? parseModel(new Uint8Array(path)) : path;
    return openModel(file, saidOf(spec), options, createEngine);
  }
  return openModel(await readModel(path), saidOf(spec ?? sidecar(path), path), options, createEngine);
}

function sidecar(path: string): ModelSpecInput | undefined {
  const file = sidecarOf(path);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ModelSpecInput;
  } catch (error) {
    throw new SpecError(`${file} is not valid JSON: ${(error as Error).message}.`);
  }
}

function saidOf(spec: ModelSpecInput | undefined, path?: string): ModelSpecInput {
  if (spec) return spec;
  const beside = path === undefined ? "" : `, or write it to ${sidecarOf(path)}`;
  throw new SpecError(`Say what the model predicts: loadModel(model, { task: "classification", range: "imagenet" })${beside}.`);
}
