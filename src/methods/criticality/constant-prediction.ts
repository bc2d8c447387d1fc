import { embed } from "../../engine/graph/embed.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { div, greater, mul, reduceSum, reshape, softmax, sqrt, where } from "../../engine/operators/index.js";
import type { Engine } from "../../engine/runtime/engine.js";
import type { Shape } from "../../engine/tensor/tensor.js";
import { CriticalityError } from "./error.js";
import type { ProbeBatch } from "./measure-resets.js";

/**
 * Σ p / ‖p‖ over what counts, p = softmax z of the intact network, one number per class. From it follows what criticality a network has that ignores
 * the image: see `constantCriticality`.
 *
 * @param model as for `measureResets`, with predictions over classes.
 * @throws CriticalityError when the network's predictions are no numbers.
 */
export async function directionSums(engine: Engine, model: OnnxModel, batches: readonly ProbeBatch[]): Promise<number[]> {
  const program = await engine.compile(directionModel(model));
  try {
    let total: number[] | undefined;
    for (const { images, weight } of batches) {
      const sums = Array.from((await program.run({ ...images, weight })).sums!.data as Float32Array);
      total = total ? total.map((v, k) => v + sums[k]!) : sums;
    }
    if (total?.some((v) => !Number.isFinite(v)))
      throw new CriticalityError(
        "The intact network predicts values that are no numbers for these images; is --range what it takes, and does the file work elsewhere?",
      );
    return total ?? [];
  } finally {
    program.dispose();
  }
}

function directionModel(model: OnnxModel): OnnxModel {
  const graph = new Graph();
  const images: Record<string, Value> = {};
  for (const { name, shape } of model.graph.inputs) images[name] = graph.input(name, "float32", shape as Shape);
  const logits = embed(graph, model, images).outputs[model.graph.outputs[0]!.name]!;
  const [batch, classes, ...pixels] = logits.shape as [number, number, ...number[]];
  const weight = reshape(graph.input("weight", "float32", [batch, ...pixels]), [batch, 1, ...pixels]);
  const p = softmax(logits, 1);
  const direction = div(p, sqrt(reduceSum(mul(p, p), [1], "keep")));
  const others = [0, ...pixels.map((_, i) => i + 2)];
  graph.output("sums", reshape(reduceSum(where(greater(weight, 0), mul(direction, weight), 0), others, "drop"), [classes]));
  return graph.build();
}

/**
 * The criticality of a reset after which the network predicts the same whatever it sees, q, for the q that comes closest to the intact predictions:
 *
 *     min over q of mean (1 - cos(p, q)) = 1 - ‖mean of p / ‖p‖‖
 *
 * With K sure and equally frequent classes it is 1 - 1/√K: 29 % for two, 97 % for a thousand.
 *
 * @param sums from `directionSums`, over `count` images or pixels.
 */
export const constantCriticality = (sums: readonly number[], count: number): number =>
  Math.max(0, 1 - Math.hypot(...sums) / count);
