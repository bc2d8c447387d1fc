import { type KnownPart, specialize, specializeKnownPart } from "../../../engine/compile/specialize.js";
import type { Graph } from "../../../engine/graph/graph.js";
import type { OnnxModel } from "../../../engine/onnx/model.js";
import type { Engine, EngineOptions } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import type { Shape } from "../../../engine/tensor/tensor.js";
import { readModelAloud } from "../../read-model.js";
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
  const file = await readModelAloud(path, outputs ? { outputs } : {});
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
  const file = await readModelAloud(path, outputs ? { outputs } : {});
  const known = await specializeKnownPart(file, named(shapes, file), (m) => engine.evaluate(m), { keep: "weights" });
  return { file, known };
}

/** The shapes by input. A batch that the file leaves open is 1 where nobody says otherwise, and standard error says so. */
function named(shapes: Readonly<Record<string, Shape>>, { graph }: OnnxModel): Readonly<Record<string, Shape>> {
  const free = graph.inputs.filter((i) => !graph.initializers.has(i.name));
  const { "": unnamed, ...rest } = shapes;
  const given = unnamed && free[0] ? { ...rest, [free[0].name]: unnamed } : rest;
  const single = free.flatMap(({ name, shape }): [string, Shape][] => {
    const [batch, ...others] = shape ?? [];
    const open = batch !== undefined && typeof batch !== "number" && others.every((d) => typeof d === "number");
    return open && !given[name] ? [[name, [1, ...(others as number[])]]] : [];
  });
  for (const [name, shape] of single)
    process.stderr.write(
      `note: the batch of ${name} is open and taken as 1 (--shape ${name}=${shape.join("x")} says otherwise)\n`,
    );
  return { ...Object.fromEntries(single), ...given };
}
