import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine, EngineOptions } from "../../engine/runtime/engine.js";
import type { ModelSpecInput } from "../spec/model-spec.js";
import { LoadedModel, type ModelOptions } from "./loaded-model.js";

/** How a model is run: an engine that is there, which stays the caller's, or what to start one with. */
export type LoadOptions<Start extends EngineOptions = EngineOptions> = ModelOptions & Start & { readonly engine?: Engine };

/** A model with an engine of its own, unless one is given. */
export async function openModel<Start extends EngineOptions>(
  file: OnnxModel,
  spec: ModelSpecInput,
  options: LoadOptions<Start>,
  start: (options: Start) => Promise<Engine>,
): Promise<LoadedModel> {
  if (options.engine) return new LoadedModel(options.engine, file, spec, options);
  const engine = await start(options);
  try {
    return new LoadedModel(engine, file, spec, options, () => engine.dispose());
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
