import { ModelError, parseModel } from "../../engine/onnx/index.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { createEngine, type WebEngineOptions } from "../../engine/runtime/web.js";
import type { ModelSpecInput } from "../spec/model-spec.js";
import { type LoadOptions, openModel } from "./load.js";
import type { LoadedModel } from "./loaded-model.js";

/**
 * Loads a model from an address, or from the bytes of an ONNX file (a `File` that the user chose, too), and starts an engine for it in a Web Worker,
 * unless one is given. A model with external data is parsed with `parseModel` and given as that.
 *
 * @param spec what the model takes and yields. What it does not say is the usual value, and is named in `model.assumed`.
 * @throws ModelError, SpecError, EngineError in one sentence.
 * @example const model = await loadModel("/net.onnx", { task: "classification", range: "imagenet" }, { provider: "webgpu" });
 */
export async function loadModel(
  source: string | URL | Uint8Array | ArrayBuffer | Blob | OnnxModel,
  spec: ModelSpecInput,
  options: LoadOptions<WebEngineOptions> = {},
): Promise<LoadedModel> {
  return openModel(await fileOf(source), spec, options, createEngine);
}

async function fileOf(source: Parameters<typeof loadModel>[0]): Promise<OnnxModel> {
  if (typeof source === "string" || source instanceof URL) {
    const response = await fetch(source).catch((error: unknown) => {
      throw new ModelError(`${source} cannot be fetched: ${(error as Error).message}.`);
    });
    if (!response.ok)
      throw new ModelError(`${source} cannot be fetched: the server answers ${response.status}; check the address.`);
    return parseModel(new Uint8Array(await response.arrayBuffer()));
  }
  if (source instanceof Blob) return parseModel(new Uint8Array(await source.arrayBuffer()));
  return source instanceof Uint8Array || source instanceof ArrayBuffer ? parseModel(new Uint8Array(source)) : source;
}
