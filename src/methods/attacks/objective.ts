import { livingGradients } from "../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { reduceSum } from "../../engine/operators/index.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { sizeOf, type Tensor } from "../../engine/tensor/tensor.js";
import type { PixelOptions, Task } from "../../vision/tasks/index.js";
import { transformNoise } from "./ascent/compile-ascent.js";
import { demandFitting } from "./ascent/looks.js";
import { type AttackedModel, perturbedRoles } from "./attacked-model.js";
import type { AttackBatch } from "./batch.js";
import { lossOf, perImage, targetInputs } from "./evaluation-graph.js";
import { lowered } from "./lowered.js";
import type { Judgement } from "./outcome.js";
import { DrawByDraw } from "./split/draw-by-draw.js";
import { pick, type Runnable } from "./split/runnable.js";
import { overImages } from "./split/split-step.js";

/** What is differentiated: a value for each pixel, [B, H, W], or [B] where there is one prediction for the image. 0 where the target is ignored. */
export type Objective = (given: ObjectiveInputs) => Value;

export interface ObjectiveInputs {
  readonly task: Task;
  readonly prediction: Value;
  /** The batch's target. */
  readonly target: Value;
  readonly options: PixelOptions;
  /** A further input like the target (other classes, say): `at` is given it under this name. */
  readonly also: (name: string) => Value;
}

/** A value for each sample, and which way it rises: what attacks that are no projected ascent follow. */
export interface CompiledObjective {
  /**
   * Looks at images of the batch shape.
   *
   * @param also what the objective asked for by name, in the type and shape of the target.
   * @param pass where images are seen through random transforms: names the draws, such as "restart/step".
   */
  at(
    batch: AttackBatch,
    images: AttackBatch["images"],
    also?: Readonly<Record<string, Tensor>>,
    pass?: string,
  ): Promise<ObjectiveFound>;
  dispose(): void;
}

/** For each sample what the objective is there; beside it prediction, the task's first loss and what is right, from the same program. */
export interface ObjectiveFound extends Judgement {
  /** [B]: the mean over the pixels. */
  readonly value: Float32Array;
  /**
   * By role of the images that may change, [B, C, H, W]: the gradient of each sample's own value, whatever the others' are. 0 outside the region, and where
   * it is no number.
   */
  readonly gradient: Readonly<Record<string, Tensor<"float32">>>;
  /** [B]: shares of the gradient's elements that are exactly 0, or no finite number. */
  readonly zeroGradient: Float32Array;
  readonly nanGradient: Float32Array;
}

/**
 * Compiles values and gradients for a model and one shape of batch: whole images, tile by tile, part by part, over random transforms, as the model says.
 *
 * @throws ZeroGradientError, NotDifferentiableError where no gradient leads from the objective to the images.
 * @example
 * const slope = await compileObjective(engine, model, ({ prediction, target, options }) => crossEntropy(prediction, target, options));
 * const { value, gradient } = await slope.at(batch, images);
 */
export async function compileObjective(engine: Engine, model: AttackedModel, objective: Objective): Promise<CompiledObjective> {
  const { transform } = model;
  if (transform) demandFitting(transform, model.task);
  const one = await engine.compile(lowered(objectiveGraph(objective, model), engine, model));
  const whole = overImages(engine, one, model);
  const program: Runnable = transform ? await DrawByDraw.compile(engine, model, transform, whole) : whole;
  const roles = perturbedRoles(model);
  return {
    async at(batch, images, also = {}, pass = "") {
      const seen = Object.entries(images).map(([role, image]) => [roles.includes(role) ? `x.${role}` : role, image]);
      const { target, valid } = batch;
      const feeds = { ...Object.fromEntries(seen), target, ...(valid && { valid }), ...also };
      const found = await program.run(pick(feeds, program), {
        only: ["value", "loss", "correct", "prediction", ...roles.map((role) => `gradient.${role}`)],
        ...(transform && { draw: (k: number) => transformNoise(transform, batch, pass, k) }),
      });
      const [value, loss, correct] = ["value", "loss", "correct"].map((name) => found[name]!.data as Float32Array);
      const gradient = Object.fromEntries(roles.map((role) => [role, found[`gradient.${role}`] as Tensor<"float32">]));
      return {
        prediction: found.prediction as Tensor<"float32">,
        value: value!,
        loss: loss!,
        correct: correct!,
        ...usable(gradient, batch.region),
      };
    },
    dispose() {
      for (const each of new Set([program, whole])) each.dispose();
    },
  };
}

/**
 * The graph of it, for what the predictor takes at a time. Inputs: `x.<role>` for images that may change, `<role>` for others, `target`, where the model has
 * one `valid`, and what the objective asks for. Outputs: `value`, `loss`, `correct` [B], `prediction`, `gradient.<role>`.
 */
export function objectiveGraph(objective: Objective, model: AttackedModel): Graph {
  const { task, predictor } = model;
  const graph = new Graph();
  const perturbed = perturbedRoles(model);
  const images = Object.fromEntries(
    Object.entries(predictor.images).map(([role, shape]) => [
      role,
      graph.input(perturbed.includes(role) ? `x.${role}` : role, "float32", shape),
    ]),
  );
  const prediction = predictor.predict(graph, images);
  const { target, options } = targetInputs(graph, model, prediction);
  const also = (name: string) => graph.inputs.find((v) => v.name === name) ?? graph.input(name, target.type, target.shape);
  const value = perImage(objective({ task, prediction, target, options, also }));
  const slopes = livingGradients(
    "value",
    reduceSum(value),
    perturbed.map((role) => images[role]!),
  );
  graph.output("value", value);
  graph.output("loss", perImage(lossOf({}, task)(prediction, target, options)));
  graph.output("correct", perImage(task.correct(prediction, target, options)));
  graph.output("prediction", prediction);
  perturbed.forEach((role, i) => {
    graph.output(`gradient.${role}`, slopes[i]!);
  });
  return graph;
}

/** Counts what is 0 or no number, and makes the rest something to step along. */
function usable(
  gradient: Readonly<Record<string, Tensor<"float32">>>,
  region: Tensor<"float32"> | undefined,
): Pick<ObjectiveFound, "gradient" | "zeroGradient" | "nanGradient"> {
  const [batch] = Object.values(gradient)[0]!.shape as [number];
  const all = Object.values(gradient).reduce((sum, { shape }) => sum + sizeOf(shape.slice(1)), 0);
  const [zeroGradient, nanGradient] = [new Float32Array(batch), new Float32Array(batch)];
  const cleaned = Object.entries(gradient).map(([role, t]) => {
    const [, channels, height, width] = t.shape as [number, number, number, number];
    const area = height * width;
    const n = channels * area;
    const data = t.data.slice();
    for (let b = 0; b < batch; b++) {
      let [zero, odd] = [0, 0];
      for (let i = b * n; i < (b + 1) * n; i++) {
        const usual = Number.isFinite(data[i]);
        if (data[i] === 0) zero++;
        if (!usual) odd++;
        if (!usual || region?.data[b * area + (i % area)] === 0) data[i] = 0;
      }
      zeroGradient[b]! += zero / all;
      nanGradient[b]! += odd / all;
    }
    return [role, { ...t, data }] as const;
  });
  // Sums of shares round; all elements are all.
  for (let b = 0; b < batch; b++) if (zeroGradient[b]! > 1 - 0.5 / all) zeroGradient[b] = 1;
  return { gradient: Object.fromEntries(cleaned), zeroGradient, nanGradient };
}
