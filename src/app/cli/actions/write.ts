import { recompute } from "../../../engine/compile/recompute/recompute.js";
import type { Graph } from "../../../engine/graph/graph.js";
import type { OnnxModel } from "../../../engine/onnx/model.js";
import { type SaveOptions, saveModel } from "../../../engine/onnx/write-file.js";
import type { CompilableModel, Engine, Program } from "../../../engine/runtime/engine.js";
import { weightsAsFeeds } from "../../../engine/runtime/hand-over.js";

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
 * @param use does something with the file's program while it is loaded.
 */
export async function saveChecked(
  engine: Engine,
  model: OnnxModel,
  path: string,
  weights: SaveOptions["weights"] = "as needed",
  use?: (program: Program) => Promise<void>,
): Promise<string> {
  const settings = { optimization: "disabled", prepacking: "off" } as const;
  const load = async (what: CompilableModel, work = async (_: Program) => {}) => {
    const program = await engine.compile(what, settings);
    await work(program).finally(() => program.dispose());
  };
  // Whether it loads, in the least time and memory: with its weights as inputs where nobody runs it, and as it is only where that fails.
  const check = (file: string) =>
    use ? load({ path: file }, use) : load(weightsAsFeeds(model).model).catch(() => load({ path: file }));
  return (await saveModel(model, path, { weights, check })).join(", ");
}
