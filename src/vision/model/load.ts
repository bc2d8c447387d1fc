import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine, EngineOptions } from "../../engine/runtime/engine.js";
import { completeSpec } from "../spec/model-predictor.js";
import { type ModelSpecInput, parseModelSpec } from "../spec/model-spec.js";
import { withHeadOf } from "../spec/read-head.js";
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
  const opened = async (engine: Engine, release?: () => Promise<void>) => {
    const complete = await withHeadOf(file, completeSpec(file, parseModelSpec(spec)), (m) => engine.evaluate(m));
    return new LoadedModel(engine, file, spec, { ...options, head: complete.output.head }, release);
  };
  if (options.engine) return opened(options.engine);
  const engine = await start(options);
  try {
    return await opened(engine, () => engine.dispose());
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
