import { specialize } from "../../../engine/compile/specialize.js";
import type { Graph } from "../../../engine/graph/graph.js";
import type { OnnxModel } from "../../../engine/onnx/model.js";
import { readModel } from "../../../engine/onnx/read-file.js";
import type { Engine, EngineOptions } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import type { Shape } from "../../../engine/tensor/tensor.js";
import type { RuntimeFlags } from "../model-options.js";

/** Runs `work` with an engine and disposes of it whatever happens. */
export async function withEngine<T>(flags: RuntimeFlags, work: (engine: Engine) => Promise<T>): Promise<T> {
  const options: EngineOptions = {
    ...(flags.provider && { provider: flags.provider }),
    ...(flags.threads && { threads: flags.threads }),
    ...(flags.optimization && { optimization: flags.optimization }),
  };
  const engine = await createEngine(options);
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

/**
 * Reads a model, cut at the given values where there are any, and fixes its shapes; a shape without a name is that of the only input.
 */
export async function openModel(
  path: string,
  shapes: Readonly<Record<string, Shape>>,
  engine: Engine,
  { keep = "nothing", outputs }: { readonly keep?: "weights" | "nothing"; readonly outputs?: readonly string[] | undefined } = {},
): Promise<{ file: OnnxModel; graph: Graph }> {
  const file = await readModel(path, outputs ? { outputs } : {});
  const inputs = file.graph.inputs.filter((i) => !file.graph.initializers.has(i.name));
  const { "": unnamed, ...rest } = shapes;
  const named: Record<string, Shape> = { ...rest };
  if (unnamed && inputs[0]) named[inputs[0].name] = unnamed;
  return { file, graph: await specialize(file, named, (m) => engine.evaluate(m), { keep }) };
}
