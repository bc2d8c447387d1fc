/** Attacks on any task; they run wherever an `Engine` does. */
export type {
  Budget,
  DescentRule,
  Goal,
  Norm,
  PixelWeight,
  ProjectedAscent,
  Start,
  StateSpec,
  StepInputs,
  StepOutputs,
  WeightInputs,
} from "./attack.js";
export { type AttackOptions, type AttackProgress, type AttackResult, attack } from "./attack-images.js";
export * from "./catalogue/index.js";
export {
  type AttackBatch,
  type AttackHooks,
  type CompiledAscent,
  compileAscent,
  compilePrediction,
  type TraceStep,
} from "./compile-attack.js";
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
export { type ApgdRules, apgd as autoPgd, checkpoints } from "./descent/apgd.js";
export { ascent } from "./descent/ascent.js";
export { fewestRemaining } from "./descent/fewest-remaining.js";
export { momentum } from "./descent/momentum.js";
export { nesterov } from "./descent/nesterov.js";
export { smoothed } from "./descent/smoothed.js";
export { varianceTuned } from "./descent/variance-tuned.js";
export { AttackError } from "./error.js";
export { type CompiledEvaluation, compileEvaluation } from "./evaluation.js";
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
export { projectedAscent, usualStepSize } from "./projected-ascent.js";
export { describeStep, type StepDescription } from "./step-description.js";
export { type AttackedModel, evaluationGraph, predictionGraph, startGraph, stepGraph, type TiledImages } from "./step-graph.js";
export { type StepSchedule, stepSchedules } from "./step-schedule.js";
export { type TaskLoss, taskLoss } from "./task-loss.js";
export { modelTransform, type Transform, type TransformName, type TransformOf, transforms } from "./transforms/index.js";
export { cosPgd, segPgd, uniform } from "./weights.js";
export { worstOf } from "./worst-of.js";
