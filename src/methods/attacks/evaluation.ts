import { lower } from "../../engine/compile/lower.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { ProjectedAscent } from "./ascent/ascent.js";
import type { AttackedModel } from "./attacked-model.js";
import type { CompiledAttack } from "./definition.js";
import { evaluationGraph, lossOf } from "./evaluation-graph.js";
import { shapeOf } from "./split/runnable.js";
import { overImages } from "./split/split-step.js";

/** A model's predictions, and what is right of them: all that an attack without gradients needs. */
export type CompiledEvaluation = Omit<CompiledAttack, "run">;

/**
 * Compiles what judges images: prediction, mean loss and share of correct pixels in one program.
 *
 * @param loss one of the task's by name, or a function of one's own; default the task's first.
 * @throws AttackError where the task has no such loss, or it needs more classes than there are.
 */
export async function compileEvaluation(
  engine: Engine,
  model: AttackedModel,
  loss?: ProjectedAscent["loss"],
): Promise<CompiledEvaluation> {
  const chosen = loss === undefined ? {} : { loss };
  const program = await engine.compile(lower(evaluationGraph(chosen, model), engine.info.provider));
  const whole = overImages(engine, program, model);
  return {
    loss: lossOf(chosen, model.task),
    async predict(images) {
      // what a prediction does not depend on is fed as zeros
      const blank = whole.inputs.map((input) => [input.name, tensor(input.type, shapeOf(input))] as const);
      const { prediction } = await whole.run({ ...Object.fromEntries(blank), ...images }, { only: ["prediction"] });
      return prediction as Tensor<"float32">;
    },
    async evaluate({ target, valid }, images) {
      const found = await whole.run({ ...images, target, ...(valid && { valid }) });
      const [loss, correct] = [found.loss, found.correct].map((t) => t!.data as Float32Array) as [Float32Array, Float32Array];
      return { prediction: found.prediction as Tensor<"float32">, loss, correct };
    },
    dispose: () => whole.dispose(),
  };
}
