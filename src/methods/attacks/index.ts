/** Attacks on any task; they run wherever an `Engine` does. */
export type {
  Advance,
  Attack,
  Budget,
  DescentRule,
  DescentSite,
  Goal,
  Norm,
  PixelWeight,
  Start,
  StateSpec,
  WeightSite,
} from "./attack.js";
export { type AttackName, attacks } from "./catalogue/index.js";
export { type AttackOptions, budget } from "./catalogue/options.js";
export {
  type AttackBatch,
  type AttackHooks,
  type CompiledAttack,
  compileAttack,
  compilePrediction,
  type TraceStep,
} from "./compile-attack.js";
export { type ApgdRules, apgd as autoPgd, checkpoints } from "./descent/apgd.js";
export { ascent } from "./descent/ascent.js";
export { momentum } from "./descent/momentum.js";
export { CompiledEnsemble, ensembleMembers } from "./ensemble.js";
export { AttackError } from "./error.js";
export { norms } from "./norms/index.js";
export type { AttackOutcome, StepRecord } from "./outcome.js";
export { describeStep, type StepDescription } from "./step-description.js";
export { type AttackSite, evaluationGraph, predictionGraph, startGraph, stepGraph, type TiledImages } from "./step-graph.js";
export { type StepSchedule, stepSchedules } from "./step-schedule.js";
export { modelTransform, type Transform, type TransformName, type TransformOf, transforms } from "./transforms/index.js";
export { cosPgd, segPgd, uniform } from "./weights.js";
