import { gradients } from "../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { add, clip, concat, mul, reciprocal, reduceL2, reshape, split } from "../../engine/operators/index.js";
import { sizeOf } from "../../engine/tensor/tensor.js";
import { declarations, type InputShapes, type Network } from "../../vision/nn/model.js";
import { type Mode, Parameters } from "../../vision/nn/scope.js";
import type { TaskName } from "../../vision/tasks/index.js";
import { TrainingError } from "./error.js";
import { asGiven, FlatLayout } from "./flat-parameters.js";
import type { TrainingLoss } from "./losses.js";
import type { Optimizer } from "./optimizers/optimizer.js";
import type { ParameterGroup, Section } from "./parameter-groups.js";

export interface TrainStepOptions {
  /** The network's images by name, batch included: `{ image: [8, 3, 64, 64] }`. */
  readonly inputs: InputShapes;
  /** Scales the gradient so that its 2-norm is at most this (`clip_grad_norm_`); default: not at all. */
  readonly clipNorm?: number;
  /** Decay of an exponential moving average of the parameters, for example 0.999; default: none is kept. */
  readonly average?: number;
  /** Settings of their own for some of the parameters. */
  readonly groups?: readonly ParameterGroup[];
}

/** Where a network's tensors lie in the vectors `parameters` and `buffers`. */
export interface NetworkLayout {
  readonly parameters: FlatLayout;
  readonly buffers: FlatLayout;
}

/** @throws TrainingError for a network without parameters, or a group that none belongs to. */
export function networkLayout(network: Network, { inputs, groups }: Pick<TrainStepOptions, "inputs" | "groups">): NetworkLayout {
  const all = [...declarations(network, inputs).values()];
  const layout = { parameters: new FlatLayout(all, "parameter", groups), buffers: new FlatLayout(all, "buffer") };
  if (layout.parameters.size === 0) throw new TrainingError("The network has no parameters, so there is nothing to train.");
  return layout;
}

/**
 * A whole training step as one model: forward, loss, gradient, optimiser.
 *
 * Inputs: `parameters` [P], `buffers` [Q] (where the network has any), `state.<name>` [P] and scalars `scalar.<name>` of the optimiser
 * (`scalar.<section>.<name>` where groups make several sections), `average` [P] (where one is kept), `images.<name>`, `target`, `valid` (flow and disparity). Outputs: the next of each state under
 * `next.<input>`, `loss` and `gradient_norm` (before clipping), both scalars.
 *
 * @throws TrainingError, GraphError, NotDifferentiableError
 * @example
 * const model = trainStep(findNetwork("unet").network, trainingLoss("segmentation"), adamw(), { inputs: { image: [4, 3, 64, 64] } });
 */
export function trainStep(network: Network, loss: TrainingLoss, optimizer: Optimizer, options: TrainStepOptions): OnnxModel {
  const graph = new Graph();
  const layout = networkLayout(network, options);
  const { parameters, gradient } = lossAndGradient(graph, network, loss, layout, options.inputs);
  applyUpdate(graph, optimizer, layout.parameters.sections, parameters, gradient, options);
  return graph.build();
}

/**
 * The first part of a step whose batch comes in pieces: the gradient of one piece, times `scalar.share`, is added to `gradient` [P]
 * (output `next.gradient`). Other inputs and outputs as in `trainStep`.
 */
export function accumulateStep(
  network: Network,
  loss: TrainingLoss,
  inputs: InputShapes,
  layout = networkLayout(network, { inputs }),
): OnnxModel {
  const graph = new Graph();
  const { gradient } = lossAndGradient(graph, network, loss, layout, inputs);
  const before = graph.input("gradient", "float32", gradient.shape);
  graph.output("next.gradient", add(before, mul(gradient, graph.input("scalar.share", "float32", []))));
  return graph.build();
}

/** The second part: the optimiser alone, for the gathered `gradient` [P]. */
export function applyStep(network: Network, optimizer: Optimizer, options: TrainStepOptions): OnnxModel {
  const graph = new Graph();
  const { shape, sections } = networkLayout(network, options).parameters;
  const parameters = graph.input("parameters", "float32", shape);
  applyUpdate(graph, optimizer, sections, parameters, graph.input("gradient", "float32", shape), options);
  return graph.build();
}

/** Inputs `parameters`, `buffers`, `images.<name>`; output `prediction`, as in evaluation. */
export function predictionStep(network: Network, inputs: InputShapes, layout = networkLayout(network, { inputs })): OnnxModel {
  const graph = new Graph();
  const bound = bindNetwork(graph, network, layout, imageInputs(graph, inputs), "evaluation");
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

/** The optimiser for one section of the parameters. */
export const optimizerOf = (optimizer: Optimizer, { weightDecay }: Section): Optimizer =>
  weightDecay === undefined ? optimizer : optimizer.withWeightDecay(weightDecay);

/** A section's scalars are called so; the section is left out where there is only one. */
export const scalarName = (name: string, section: number, sections: readonly Section[]): string =>
  sections.length === 1 ? `scalar.${name}` : `scalar.${section}.${name}`;

function applyUpdate(
  graph: Graph,
  optimizer: Optimizer,
  sections: readonly Section[],
  parameters: Value,
  gradient: Value,
  options: TrainStepOptions,
): void {
  const { clipNorm, average } = options;
  const norm = reduceL2(gradient);
  // clip_grad_norm_: g · min(1, c / (‖g‖ + 10⁻⁶))
  const clipped =
    clipNorm === undefined ? gradient : mul(gradient, clip(mul(reciprocal(add(norm, 1e-6)), clipNorm), undefined, 1));
  const { state } = optimizer;
  const cut = (vector: Value): readonly Value[] =>
    sections.length === 1
      ? [vector]
      : split(
          vector,
          0,
          sections.map(({ size }) => size),
        );
  const joined = (parts: readonly Value[]): Value => (parts.length === 1 ? parts[0]! : concat(parts, 0));
  const before = { parameters: cut(parameters), gradient: cut(clipped) };
  const states = state.map((name) => cut(graph.input(`state.${name}`, "float32", parameters.shape)));
  const updates = sections.map((section, i) => {
    const own = optimizerOf(optimizer, section);
    const scalar = (name: string) => graph.input(scalarName(name, i, sections), "float32", []);
    return own.update({
      parameters: before.parameters[i]!,
      gradient: before.gradient[i]!,
      state: Object.fromEntries(state.map((name, s) => [name, states[s]![i]!])),
      scalars: Object.fromEntries(Object.keys(own.scalars(1, 1)).map((name) => [name, scalar(name)])),
    });
  });
  const next = joined(updates.map((u) => u.parameters));
  graph.output("gradient_norm", norm);
  graph.output("next.parameters", next);
  for (const name of state) graph.output(`next.state.${name}`, joined(updates.map((u) => u.state[name]!)));
  if (average !== undefined) {
    const last = graph.input("average", "float32", parameters.shape);
    graph.output("next.average", add(mul(last, average), mul(next, 1 - average)));
  }
}

function imageInputs(graph: Graph, inputs: InputShapes): Value[] {
  return Object.entries(inputs).map(([name, shape]) => graph.input(`images.${name}`, "float32", shape));
}
