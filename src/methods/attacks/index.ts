/** Attacks on any task; they run wherever an `Engine` does. */
export type {
  Budget,
  DescentRule,
  Norm,
  PixelWeight,
  ProjectedAscent,
  Start,
  StateSpec,
  StepInputs,
  StepOutputs,
  WeightInputs,
} from "./ascent/ascent.js";
export { type CompiledAscent, compileAscent, compilePrediction } from "./ascent/compile-ascent.js";
export { type ApgdRules, apgd as autoPgd, checkpoints } from "./ascent/descent/apgd.js";
export { ascent } from "./ascent/descent/ascent.js";
export { fewestRemaining } from "./ascent/descent/fewest-remaining.js";
export { momentum } from "./ascent/descent/momentum.js";
export { nesterov } from "./ascent/descent/nesterov.js";
export { smoothed } from "./ascent/descent/smoothed.js";
export { varianceTuned } from "./ascent/descent/variance-tuned.js";
export { projectedAscent, usualStepSize } from "./ascent/projected-ascent.js";
export { describeStep, type StepDescription } from "./ascent/step-description.js";
export { startGraph, stepGraph } from "./ascent/step-graph.js";
export { type StepSchedule, stepSchedules } from "./ascent/step-schedule.js";
export { cosPgd, segPgd, uniform } from "./ascent/weights.js";
export { type AttackOptions, type AttackProgress, type AttackResult, attack } from "./attack-images.js";
export type { AttackedModel, Goal, TiledImages } from "./attacked-model.js";
export type { AttackBatch, AttackHooks, TraceStep } from "./batch.js";
export * from "./catalogue/index.js";
export {
  type Aim,
  type Attack,
  type AttackBudget,
  type AttackDefinition,
  ascentOf,
  ascentsOf,
  attackOf,
  type CallableDefinition,
  type CompiledAttack,
  checkAttack,
  compileAttack,
  type DefinitionParts,
  defineAttack,
  fitAttack,
  type Handled,
  ownParameters,
} from "./definition.js";
export { worstOf } from "./ensemble/worst-of.js";
export { AttackError } from "./error.js";
export { type CompiledEvaluation, compileEvaluation } from "./evaluation.js";
export { evaluationGraph, predictionGraph } from "./evaluation-graph.js";
export type { FitHooks, FitProgress, FitRule, Fitted, Lessons, Shown } from "./fitted/fitted.js";
export { norms } from "./norms/index.js";
export {
  type CompiledObjective,
  compileObjective,
  type Objective,
  type ObjectiveFound,
  type ObjectiveInputs,
} from "./objective.js";
export { type AttackOutcome, type Judgement, type StepRecord, selectStronger, type TurnRecord } from "./outcome.js";
export * as parameters from "./parameters.js";
export { type TaskLoss, taskLoss } from "./task-loss.js";
export { modelTransform, type Transform, type TransformName, type TransformOf, transforms } from "./transforms/index.js";
