import { type KnownPart, specialize, specializeKnownPart } from "../../../engine/compile/specialize.js";
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
  { keep, outputs }: { readonly keep?: "weights" | "nothing"; readonly outputs?: readonly string[] | undefined } = {},
): Promise<{ file: OnnxModel; graph: Graph }> {
  const file = await readModel(path, outputs ? { outputs } : {});
  const options = keep ? { keep } : {};
  return { file, graph: await specialize(file, named(shapes, file), (m) => engine.evaluate(m), options) };
}

/** As `openModel`, but of a model whose shapes depend on data the part before. */
export async function openKnownPart(
  path: string,
  shapes: Readonly<Record<string, Shape>>,
  engine: Engine,
  outputs?: readonly string[],
): Promise<{ file: OnnxModel; known: KnownPart }> {
  const file = await readModel(path, outputs ? { outputs } : {});
  const known = await specializeKnownPart(file, named(shapes, file), (m) => engine.evaluate(m), { keep: "weights" });
  return { file, known };
}

function named(shapes: Readonly<Record<string, Shape>>, { graph }: OnnxModel): Readonly<Record<string, Shape>> {
  const first = graph.inputs.find((i) => !graph.initializers.has(i.name));
  const { "": unnamed, ...rest } = shapes;
  return unnamed && first ? { ...rest, [first.name]: unnamed } : rest;
}
