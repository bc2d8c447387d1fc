/** Training and adversarial training; runs wherever an `Engine` does. */
export { Adversary, type AdversaryOptions, type Weights } from "./adversary.js";
export { type Augmentation, augment } from "./augmentation.js";
export { Batches, type BatchOptions, collate, inMemory, type TrainingBatch } from "./batch.js";
export { checkBatch, type ExpectedBatch } from "./check-batch.js";
export { TrainingError } from "./error.js";
export type { FlatLayout } from "./flat-parameters.js";
export { type TrainingLoss, trainingLoss } from "./losses.js";
export * from "./optimizers/index.js";
export type { ParameterGroup } from "./parameter-groups.js";
export * as schedules from "./schedules.js";
export type { Trades } from "./trades.js";
export {
  accumulateStep,
  applyStep,
  type NetworkLayout,
  networkLayout,
  predictionStep,
  type TrainStepOptions,
  trainStep,
} from "./train-step.js";
export { type StepReport, Trainer, type TrainerOptions, type TrainingState, type WeightsKind } from "./trainer.js";
