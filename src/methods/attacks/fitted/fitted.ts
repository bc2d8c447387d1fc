import type { Engine } from "../../../engine/runtime/engine.js";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import type { AttackedModel } from "../attacked-model.js";
import type { AttackBatch } from "../batch.js";

// Attacks that learn something on a part of a data set before they attack the rest: one perturbation for all images, a patch.

/** What an attack has learned: tensors by name ("image", "patch"), float32, one for all samples. */
export type Fitted = Readonly<Record<string, Tensor<"float32">>>;

/** A learning that may be under way. */
export interface FitProgress {
  readonly fitted: Fitted;
  /** Steps that are done. */
  readonly steps: number;
}

/** What is learned from, batch by batch; all pictures have one size. */
export interface Lessons {
  /** The batch of a step; all have one size. It depends on seed and step alone, so that a learning that was broken off goes on as it would have. */
  batch(step: number): Promise<AttackBatch>;
}

export interface FitHooks {
  /** Where an earlier learning stopped. */
  readonly from?: FitProgress | undefined;
  /** Called after each step, with the mean loss of its batch. */
  readonly onStep?: (progress: FitProgress, total: number, loss: number) => void;
  /** Stops between steps: what is there is given back. */
  readonly signal?: AbortSignal | undefined;
}

/** What an attack does before it attacks. */
export interface FitRule<P> {
  /** What is learned, in a word: "perturbation". Its files are named so. */
  readonly what: string;
  /** Steps that learning takes. */
  steps(parameters: P): number;
  /**
   * Learns from lessons, all steps or until the signal.
   *
   * @throws AttackError where the attack cannot do what is asked.
   */
  learn(engine: Engine, parameters: P, model: AttackedModel, lessons: Lessons, hooks: FitHooks): Promise<FitProgress>;
  /** What was learned as pictures in [0, 1], [3, H, W], by name, with a word on how to look at them. */
  show(parameters: P, fitted: Fitted): Promise<Readonly<Record<string, Shown>>>;
}

export interface Shown {
  readonly picture: Tensor<"float32">;
  /** "amplified 16 times around gray" */
  readonly note: string;
}
