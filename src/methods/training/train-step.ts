import { gradients } from "../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { add, clip, concat, mul, reciprocal, reduceL2, reshape } from "../../engine/operators/index.js";
import { sizeOf } from "../../engine/tensor/tensor.js";
import { declarations, type InputShapes, type Network } from "../../vision/nn/model.js";
import { type Mode, Parameters } from "../../vision/nn/scope.js";
import type { TaskName } from "../../vision/tasks/index.js";
import { TrainingError } from "./error.js";
import { asGiven, FlatLayout } from "./flat-parameters.js";
import type { TrainingLoss } from "./losses.js";
import type { Optimizer } from "./optimizers/optimizer.js";

export interface TrainStepOptions {
  /** The network's images by name, batch included: `{ image: [8, 3, 64, 64] }`. */
  readonly inputs: InputShapes;
  /** Scales the gradient so that its 2-norm is at most this (`clip_grad_norm_`); default: not at all. */
  readonly clipNorm?: number;
  /** Decay of an exponential moving average of the parameters, for example 0.999; default: none is kept. */
  readonly average?: number;
}

/** Where a network's tensors lie in the vectors `parameters` and `buffers`. */
export interface NetworkLayout {
  readonly parameters: FlatLayout;
  readonly buffers: FlatLayout;
}

/** @throws TrainingError for a network without parameters. */
export function networkLayout(network: Network, inputs: InputShapes): NetworkLayout {
  const all = [...declarations(network, inputs).values()];
  const layout = { parameters: new FlatLayout(all, "parameter"), buffers: new FlatLayout(all, "buffer") };
  if (layout.parameters.size === 0) throw new TrainingError("The network has no parameters, so there is nothing to train.");
  return layout;
}

/**
 * A whole training step as one model: forward, loss, gradient, optimiser.
 *
 * Inputs: `parameters` [P], `buffers` [Q] (where the network has any), `state.<name>` [P] and scalars `scalar.<name>` of the optimiser,
 * `average` [P] (where one is kept), `images.<name>`, `target`, `valid` (flow and disparity). Outputs: the next of each state under
 * `next.<input>`, `loss` and `gradient_norm` (before clipping), both scalars.
 *
 * @throws TrainingError, GraphError, NotDifferentiableError
 * @example
 * const model = trainStep(findNetwork("unet").network, trainingLoss("segmentation"), adamw(), { inputs: { image: [4, 3, 64, 64] } });
 */
export function trainStep(network: Network, loss: TrainingLoss, optimizer: Optimizer, options: TrainStepOptions): OnnxModel {
  const graph = new Graph();
  const layout = networkLayout(network, options.inputs);
  const { parameters, gradient } = lossAndGradient(graph, network, loss, layout, options.inputs);
  applyUpdate(graph, optimizer, parameters, gradient, options);
  return graph.build();
}

/**
 * The first part of a step whose batch comes in pieces: the gradient of one piece, times `scalar.share`, is added to `gradient` [P]
 * (output `next.gradient`). Other inputs and outputs as in `trainStep`.
 */
export function accumulateStep(network: Network, loss: TrainingLoss, inputs: InputShapes): OnnxModel {
  const graph = new Graph();
  const layout = networkLayout(network, inputs);
  const { gradient } = lossAndGradient(graph, network, loss, layout, inputs);
  const before = graph.input("gradient", "float32", gradient.shape);
  graph.output("next.gradient", add(before, mul(gradient, graph.input("scalar.share", "float32", []))));
  return graph.build();
}

/** The second part: the optimiser alone, for the gathered `gradient` [P]. */
export function applyStep(network: Network, optimizer: Optimizer, options: TrainStepOptions): OnnxModel {
  const graph = new Graph();
  const { shape } = networkLayout(network, options.inputs).parameters;
  const parameters = graph.input("parameters", "float32", shape);
  applyUpdate(graph, optimizer, parameters, graph.input("gradient", "float32", shape), options);
  return graph.build();
}

/** Inputs `parameters`, `buffers`, `images.<name>`; output `prediction`, as in evaluation. */
export function predictionStep(network: Network, inputs: InputShapes): OnnxModel {
  const graph = new Graph();
  const bound = bindNetwork(graph, network, networkLayout(network, inputs), imageInputs(graph, inputs), "evaluation");
  graph.output("prediction", bound.prediction);
  return graph.build();
}

/** Adds the network with its tensors taken from the graph inputs `parameters` and `buffers`. */
export function bindNetwork(
  graph: Graph,
  network: Network,
  layout: NetworkLayout,
  images: readonly Value[],
  mode: Mode,
): { readonly parameters: Value; readonly buffers: Value | undefined; readonly bound: Parameters; readonly prediction: Value } {
  const parameters = graph.input("parameters", "float32", layout.parameters.shape);
  const buffers = layout.buffers.size > 0 ? graph.input("buffers", "float32", layout.buffers.shape) : undefined;
  const bound = new Parameters(
    graph,
    asGiven(layout.parameters.split(parameters), buffers ? layout.buffers.split(buffers) : new Map()),
    mode,
  );
  return { parameters, buffers, bound, prediction: network(bound.scope, ...images) };
}

function lossAndGradient(graph: Graph, network: Network, loss: TrainingLoss, layout: NetworkLayout, inputs: InputShapes) {
  const { parameters, bound, prediction } = bindNetwork(graph, network, layout, imageInputs(graph, inputs), "training");
  checkPrediction(prediction, loss);
  const { type, shape } = loss.target(prediction);
  const target = graph.input("target", type, shape);
  const [batch, , ...pixels] = prediction.shape;
  const valid = loss.masked ? graph.input("valid", "float32", [batch!, ...pixels]) : undefined;
  const value = loss.reduce(prediction, target, valid);
  const [gradient] = gradients(value, [parameters]);
  graph.output("loss", value);
  if (layout.buffers.size > 0) graph.output("next.buffers", nextBuffers(bound, layout.buffers));
  return { parameters, gradient: gradient! };
}

/** What a task predicts has this many channels (null: any number) and these many axes. */
const predictions: Readonly<Record<TaskName, { readonly channels: number | null; readonly axes: number; readonly as: string }>> =
  {
    classification: { channels: null, axes: 2, as: "[N, classes]" },
    segmentation: { channels: null, axes: 4, as: "[N, classes, H, W]" },
    flow: { channels: 2, axes: 4, as: "[N, 2, H, W]" },
    disparity: { channels: 1, axes: 4, as: "[N, 1, H, W]" },
    restoration: { channels: null, axes: 4, as: "[N, C, H, W]" },
  };

function checkPrediction({ shape }: Value, { task }: TrainingLoss): void {
  const { channels, axes, as } = predictions[task];
  if (shape.length !== axes || (channels !== null && shape[1] !== channels))
    throw new TrainingError(`Training for ${task} needs a prediction ${as}, but this network's is [${shape.join(", ")}].`);
}

/** What the layers say of their running statistics; buffers that none updates stay. */
function nextBuffers({ values, updates }: Parameters, layout: FlatLayout): Value {
  const flat = layout.declarations.map(({ name, shape }) => reshape(updates.get(name) ?? values.get(name)!, [sizeOf(shape)]));
  return concat(flat, 0);
}

function applyUpdate(graph: Graph, optimizer: Optimizer, parameters: Value, gradient: Value, options: TrainStepOptions): void {
  const { clipNorm, average } = options;
  const norm = reduceL2(gradient);
  // clip_grad_norm_: g · min(1, c / (‖g‖ + 10⁻⁶))
  const clipped =
    clipNorm === undefined ? gradient : mul(gradient, clip(mul(reciprocal(add(norm, 1e-6)), clipNorm), undefined, 1));
  const next = optimizer.update({
    parameters,
    gradient: clipped,
    state: Object.fromEntries(optimizer.state.map((name) => [name, graph.input(`state.${name}`, "float32", parameters.shape)])),
    scalars: Object.fromEntries(
      Object.keys(optimizer.scalars(1, 1)).map((name) => [name, graph.input(`scalar.${name}`, "float32", [])]),
    ),
  });
  graph.output("gradient_norm", norm);
  graph.output("next.parameters", next.parameters);
  for (const name of optimizer.state) graph.output(`next.state.${name}`, next.state[name]!);
  if (average !== undefined) {
    const before = graph.input("average", "float32", parameters.shape);
    graph.output("next.average", add(mul(before, average), mul(next.parameters, 1 - average)));
  }
}

function imageInputs(graph: Graph, inputs: InputShapes): Value[] {
  return Object.entries(inputs).map(([name, shape]) => graph.input(`images.${name}`, "float32", shape));
}
