import { lower } from "../../engine/compile/lower.js";
import { recompute } from "../../engine/compile/recompute/recompute.js";
import type { Graph } from "../../engine/graph/graph.js";
import type { Engine } from "../../engine/runtime/engine.js";
import type { AttackedModel } from "./attacked-model.js";

/** A graph with a gradient as the engine is to run it: rewritten for its provider, and within the model's memory. */
export function lowered(graph: Graph, engine: Engine, { memory }: Pick<AttackedModel, "memory">): Graph {
  const fast = lower(graph, engine.info.provider);
  return memory === undefined ? fast : recompute(fast, memory).graph;
}
