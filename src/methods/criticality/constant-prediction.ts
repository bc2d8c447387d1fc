import { Graph } from "../../engine/graph/graph.js";
import { div, greater, mul, reduceSum, reshape, softmax, sqrt, where } from "../../engine/operators/index.js";
import type { DeviceTensor, Engine } from "../../engine/runtime/engine.js";
import type { Shape, Tensor } from "../../engine/tensor/tensor.js";
import { CriticalityError } from "./error.js";

/** Logits [B, K, ...] of the intact network, and 1 where they count, [B, ...]. */
export interface IntactPrediction {
  readonly prediction: Tensor | DeviceTensor;
  readonly weight: Tensor | DeviceTensor;
}

/**
 * Σ p / ‖p‖ over what counts, p = softmax z of the intact network, one number per class. From it follows what criticality a network has that ignores
 * the image: see `constantCriticality`.
 *
 * @param shape of each prediction.
 * @throws CriticalityError when the network's predictions are no numbers.
 */
export async function directionSums(engine: Engine, shape: Shape, batches: Iterable<IntactPrediction>): Promise<number[]> {
  const total = new Array<number>(shape[1]!).fill(0);
  const program = await engine.compile(directionModel(shape));
  try {
    for (const { prediction, weight } of batches) {
      const { sums } = await program.run({ prediction, weight });
      for (let k = 0; k < total.length; k++) total[k]! += Number(sums!.data[k]);
    }
  } finally {
    program.dispose();
  }
  if (total.some((v) => !Number.isFinite(v)))
    throw new CriticalityError(
      "The intact network predicts values that are no numbers for these images; is --range what it takes, and does the file work elsewhere?",
    );
  return total;
}

function directionModel(shape: Shape): Graph {
  const graph = new Graph();
  const [batch, classes, ...pixels] = shape as [number, number, ...number[]];
  const p = softmax(graph.input("prediction", "float32", shape), 1);
  const weight = reshape(graph.input("weight", "float32", [batch, ...pixels]), [batch, 1, ...pixels]);
  const direction = div(p, sqrt(reduceSum(mul(p, p), [1], "keep")));
  const others = [0, ...pixels.map((_, i) => i + 2)];
  graph.output("sums", reshape(reduceSum(where(greater(weight, 0), mul(direction, weight), 0), others, "drop"), [classes]));
  return graph;
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
