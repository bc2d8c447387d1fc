import { Graph, Value } from "../../engine/graph/graph.js";
import { reduceMean } from "../../engine/operators/index.js";
import { sameShape } from "../../engine/tensor/tensor.js";
import type { PixelFunction, PixelOptions, Task } from "../../vision/tasks/index.js";
import type { ProjectedAscent } from "./ascent/ascent.js";
import type { AttackedModel } from "./attacked-model.js";
import { AttackError } from "./error.js";

/** The prediction alone: inputs `<role>`. */
export function predictionGraph({ predictor }: AttackedModel): Graph {
  const graph = new Graph();
  const images = Object.fromEntries(
    Object.entries(predictor.images).map(([role, shape]) => [role, graph.input(role, "float32", shape)]),
  );
  graph.output("prediction", predictor.predict(graph, images));
  return graph;
}

/** Prediction and plain loss alone, for the clean image and the result: inputs `<role>`, `target`, optionally `valid`. */
export function evaluationGraph(attack: Pick<ProjectedAscent, "loss">, model: AttackedModel): Graph {
  const graph = new Graph();
  const images = Object.fromEntries(
    Object.entries(model.predictor.images).map(([role, shape]) => [role, graph.input(role, "float32", shape)]),
  );
  const prediction = model.predictor.predict(graph, images);
  const { target, options } = targetInputs(graph, model, prediction);
  graph.output("prediction", prediction);
  graph.output("loss", perImage(lossOfPixels(attack, model.task, prediction, target, options)));
  graph.output("correct", perImage(model.task.correct(prediction, target, options)));
  return graph;
}

/** The target, what of it counts, and the task's scale, as inputs of a graph. */
export function targetInputs(graph: Graph, model: AttackedModel, prediction: Value) {
  const known = (name: string) => graph.inputs.find((v) => v.name === name);
  const { type, shape } = model.task.target(prediction);
  const target = known("target") ?? graph.input("target", type, shape);
  const [b, , ...pixels] = prediction.shape;
  const valid = model.valid || model.tiled ? (known("valid") ?? graph.input("valid", "float32", [b!, ...pixels])) : undefined;
  return { target, options: { ignore: model.ignore ?? [], valid, scale: model.scale ?? model.task.scale } };
}

/**
 * The loss of each pixel: [B, H, W], or [B] in classification.
 *
 * @throws AttackError where the loss compares more classes than there are, or yields something else, as one of somebody's own may.
 */
export function lossOfPixels(
  attack: Pick<ProjectedAscent, "loss">,
  task: Task,
  prediction: Value,
  ...others: [target: Value, options: PixelOptions]
): Value {
  const loss = lossOf(attack, task);
  const [batch, classes, ...place] = prediction.shape as [number, number, ...number[]];
  if (loss.leastClasses !== undefined && classes < loss.leastClasses)
    throw new AttackError(
      `The loss "${String(attack.loss)}" compares the ${loss.leastClasses} largest logits, and the model has ${classes} classes; take ${Object.keys(task.losses)[0]}.`,
    );
  const perPixel: unknown = loss(prediction, ...others);
  const due = [batch, ...place];
  const name = typeof attack.loss === "string" ? `The loss "${attack.loss}"` : "The loss";
  if (!(perPixel instanceof Value))
    throw new AttackError(`${name} returns no value of the graph; return float32 [${due.join(", ")}].`);
  if (perPixel.type !== "float32" || !sameShape(perPixel.shape, due))
    throw new AttackError(
      `${name} returns ${perPixel.type} [${perPixel.shape.join(", ")}] for a prediction [${prediction.shape.join(", ")}]; one float32 for each ${place.length > 0 ? "pixel" : "image"} is due, [${due.join(", ")}].`,
    );
  return perPixel;
}

/** The loss that an attack names, or the task's first. */
export function lossOf(attack: Pick<ProjectedAscent, "loss">, task: Task): PixelFunction {
  if (typeof attack.loss === "function") return attack.loss;
  if (attack.loss === undefined) return Object.values(task.losses)[0]!;
  const loss = task.losses[attack.loss];
  if (!loss)
    throw new AttackError(`Task ${task.name} has no loss "${attack.loss}"; it has ${Object.keys(task.losses).join(", ")}.`);
  return loss;
}

/** Mean over the pixels, for each image: [B, ...] -> [B]. */
export function perImage(perPixel: Value): Value {
  const axes = perPixel.shape.map((_, i) => i).slice(1);
  return axes.length === 0 ? perPixel : reduceMean(perPixel, axes, "drop");
}
