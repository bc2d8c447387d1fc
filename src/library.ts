/** What the package offers in every runtime; the entries index.ts (Node) and index.web.ts (browser) add what only theirs has. */

/** Schemas of attacks' parameters are zod's; here is the copy that reads them. */
export { z } from "zod";
export { jacobianVectorProduct, type Tangent } from "./engine/autodiff/forward.js";
export {
  type GradientGraphOptions,
  gradientGraph,
  type TangentGraphOptions,
  tangentGraph,
  zeroOutputs,
} from "./engine/autodiff/gradient-graph.js";
export { gradients, vectorJacobianProduct } from "./engine/autodiff/gradients.js";
export { NotDifferentiableError, ZeroGradientError } from "./engine/autodiff/obstacles.js";
export { type KnownPart, UnknownShapeError } from "./engine/compile/known-part.js";
export { lower } from "./engine/compile/lower.js";
export { type Recomputed, recompute } from "./engine/compile/recompute/recompute.js";
export { type Evaluate, type SpecializeOptions, specialize, specializeKnownPart } from "./engine/compile/specialize.js";
export { type Embedded, embed } from "./engine/graph/embed.js";
export { Graph, GraphError, type Node, type Value, type ValueType } from "./engine/graph/graph.js";
export type { GradientOptions, Operator } from "./engine/graph/operator.js";
export * from "./engine/onnx/index.js";
export * from "./engine/operators/index.js";
export {
  type CompilableModel,
  type CompileOptions,
  type DeviceTensor,
  type Engine,
  EngineError,
  type EngineInfo,
  type EngineOptions,
  type Feeds,
  type ModelFile,
  type OptimizationLevel,
  type Program,
  type Provider,
  type RunOptions,
} from "./engine/runtime/engine.js";
export { argmax, stack, unstack } from "./engine/tensor/arrays.js";
export { NpyError, parseNpy, parseNpz, writeNpy, writeNpz } from "./engine/tensor/npy.js";
export { Random } from "./engine/tensor/random.js";
export { parseSafetensors, type Safetensors, SafetensorsError, writeSafetensors } from "./engine/tensor/safetensors.js";
export { type DataType, type Shape, type Tensor, tensor, toNumbers } from "./engine/tensor/tensor.js";
export * from "./methods/attacks/index.js";
export * as criticality from "./methods/criticality/index.js";
export * as retrofit from "./methods/retrofit/index.js";
export * as sensors from "./methods/sensor/index.js";
export * as spectrum from "./methods/spectrum/index.js";
export * from "./methods/training/index.js";
export * from "./vision/corruptions/index.js";
export * from "./vision/data/index.js";
export * as metrics from "./vision/metrics/index.js";
export * from "./vision/model/index.js";
export * as nn from "./vision/nn/index.js";
export type { Predictor } from "./vision/predictor.js";
export * as render from "./vision/render/index.js";
export { SpecError } from "./vision/spec/error.js";
export {
  checkSpec,
  completeSpec,
  fixedModel,
  modelPredictor,
  type PredictorSize,
  predictorOf,
} from "./vision/spec/model-predictor.js";
export { type ModelSpec, type ModelSpecInput, parseModelSpec } from "./vision/spec/model-spec.js";
export {
  type Alignment,
  type PixelFunction,
  type PixelOptions,
  type Task,
  type TaskName,
  taskNames,
  tasks,
} from "./vision/tasks/index.js";
export { tiled } from "./vision/tiled-predictor.js";
export { type Tiling, tileCount, usualOverlap } from "./vision/tiling.js";
