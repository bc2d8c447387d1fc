import type { Graph, Value } from "../engine/graph/graph.js";
import type { Shape } from "../engine/tensor/tensor.js";

/**
 * A model as everything above the engine sees it: images in [0, 1] in, a prediction in the task's canonical form out. Preprocessing and the
 * meaning of the output are spliced into the graph, so gradients go through them and sizes of perturbations mean what they say.
 */
export interface Predictor {
  /** Images by role ("image"; "image1", "image2"; "left", "right") with their batched shapes [B, C, H, W]. */
  readonly images: Readonly<Record<string, Shape>>;
  /** Adds the model to a graph. Values are float32 in [0, 1]. */
  readonly predict: (graph: Graph, images: Readonly<Record<string, Value>>) => Value;
}
