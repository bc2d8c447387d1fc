import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { recompute } from "../../../engine/compile/recompute/recompute.js";
import type { Graph } from "../../../engine/graph/graph.js";
import type { OnnxModel } from "../../../engine/onnx/model.js";
import { type SaveOptions, saveModel } from "../../../engine/onnx/write-file.js";
import type { CompilableModel, Engine, Feeds, Program } from "../../../engine/runtime/engine.js";
import { weightsAsFeeds } from "../../../engine/runtime/hand-over.js";
import { UsageError } from "../errors.js";

/**
 * Whether a file can be written, before the work whose result it is; and that it is not one of those that are read, whatever way the two are spelt.
 *
 * @throws UsageError
 */
export function demandOutput(output: string, inputs: readonly string[], flag = "-o"): void {
  const real = (path: string) => (existsSync(path) ? realpathSync(path) : resolve(path));
  if (inputs.some((input) => real(output) === real(input)))
    throw new UsageError(`${flag} ${output} is the file that is read; name another, which does not take its place.`);
  const folder = dirname(output);
  if (!existsSync(folder)) throw new UsageError(`${flag} ${output}: there is no folder ${folder}; make it, or name another.`);
  if (!statSync(folder).isDirectory())
    throw new UsageError(`${flag} ${output}: ${folder} is a file, not a folder; name another place.`);
  if (existsSync(output) && statSync(output).isDirectory())
    throw new UsageError(`${flag} ${output} is a folder; name a file in it.`);
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new UsageError(
      `${flag} ${output}: ${folder} cannot be written to (${(error as NodeJS.ErrnoException).code}); name another folder.`,
    );
  }
}

/** The graph within --memory, and what is said of it. */
export function withinMemory(graph: Graph, memory: number | undefined): { readonly graph: Graph; readonly note: string } {
  if (memory === undefined) return { graph, note: "" };
  const { graph: within, before, after, again } = recompute(graph, memory);
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 3 : 2);
  return {
    graph: within,
    note:
      again === 0
        ? `memory: inner values take about ${gib(before)} GiB; nothing is computed again\n`
        : `memory: inner values take about ${gib(after)} GiB instead of ${gib(before)}; ${again} nodes are computed again\n`,
  };
}

/**
 * Writes a model where ONNX Runtime loads it, and says which files were written: `a.onnx`, or `a.onnx, a.onnx.data`.
 *
 * @param use runs the file's program while it is loaded, once; the model's weights are empty afterwards.
 */
export async function saveChecked(
  engine: Engine,
  model: OnnxModel,
  path: string,
  weights: SaveOptions["weights"] = "as needed",
  use: (program: Pick<Program, "run">) => Promise<void> = async () => {},
): Promise<string> {
  const settings = { optimization: "disabled", prepacking: "off" } as const;
  const load = async (what: CompilableModel, weights: Feeds = {}) => {
    const program = await engine.compile(what, settings);
    const run: Program["run"] = (feeds, options) => program.run({ ...weights, ...feeds }, { ...options, feeds: "given" });
    await use({ run }).finally(() => program.dispose());
  };
  // Whether it loads, in the least time and memory: with its weights as inputs, and as it is only where that fails. Whoever runs it gives the
  // weights away, which are in the file by then.
  const check = (file: string) => {
    const { model: light, feeds } = weightsAsFeeds(model);
    return load(light, feeds).catch(() => load({ path: file }));
  };
  return (await saveModel(model, path, { weights, check })).join(", ");
}
