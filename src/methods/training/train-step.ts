import { gradients } from "../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { add, clip, concat, mul, reciprocal, reduceSumSquare, reshape, sqrt } from "../../engine/operators/index.js";
import { sizeOf } from "../../engine/tensor/tensor.js";
import { declarations, type InputShapes, type Network } from "../../vision/nn/model.js";
import { type Mode, Parameters } from "../../vision/nn/scope.js";
import { tasks } from "../../vision/tasks/index.js";
import { TrainingError } from "./error.js";
import { asGiven, FlatLayout } from "./flat-parameters.js";
import type { TrainingLoss } from "./losses.js";
import type { Optimizer } from "./optimizers/optimizer.js";
import type { ParameterGroup, Section } from "./parameter-groups.js";
import { disagreement, type Trades } from "./trades.js";

export interface TrainStepOptions {
  /** The network's images by name, batch included: `{ image: [8, 3, 64, 64] }`. */
  readonly inputs: InputShapes;
  /** Scales the gradient so that its 2-norm is at most this (`clip_grad_norm_`); default: not at all. */
  readonly clipNorm?: number;
  /** Decay of an exponential moving average of the parameters, for example 0.999; default: none is kept. */
  readonly average?: number;
  /** Settings of their own for some of the parameters. */
  readonly groups?: readonly ParameterGroup[];
  /** Lowers the TRADES objective; the step then takes attacked images as well. */
  readonly trades?: Trades;
}

/** Where a network's tensors lie in the vectors `parameters.<i>` and `buffers.<i>`. */
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
 * A whole training step as one model: forward, loss, gradient, optimizer.
 *
 * Parameters are vectors, numbered by `NetworkLayout`. Inputs: `parameters.<i>`, `buffers.<i>` (where the network has any), `state.<name>.<i>`
 * and scalars `scalar.<name>` of the optimizer (`scalar.<section>.<name>` where groups make several sections), `average.<i>` (where one is
 * kept), `images.<name>`, `attacked.<name>` (TRADES), `target`, `valid` (flow and disparity). Outputs: the next of each state under `next.<input>`, `loss` and
 * `gradient_norm` (before clipping), both scalars.
 *
 * @throws TrainingError, GraphError, NotDifferentiableError
 * @example
 * const model = trainStep(findNetwork("unet").network, trainingLoss("segmentation"), adamw(), { inputs: { image: [4, 3, 64, 64] } });
 */
export function trainStep(network: Network, loss: TrainingLoss, optimizer: Optimizer, options: TrainStepOptions): Graph {
  const graph = new Graph();
  const layout = networkLayout(network, options);
  const { parameters, gradient } = lossAndGradient(graph, network, loss, layout, options);
  applyUpdate(graph, optimizer, layout.parameters, parameters, gradient, options);
  return graph;
}

/**
 * The first part of a step whose batch comes in pieces: the gradient of one piece, times `scalar.share`, is added to `gradient.<i>`
 * (output `next.gradient.<i>`). Other inputs and outputs as in `trainStep`.
 */
export function accumulateStep(
  network: Network,
  loss: TrainingLoss,
  inputs: InputShapes,
  layout = networkLayout(network, { inputs }),
  trades?: Trades,
): Graph {
  const graph = new Graph();
  const { gradient } = lossAndGradient(graph, network, loss, layout, { inputs, ...(trades && { trades }) });
  const share = graph.input("scalar.share", "float32", []);
  const sums = layout.parameters.inputs(graph, "gradient").map((before, i) => add(before, mul(gradient[i]!, share)));
  yieldNext(graph, layout.parameters, "gradient", sums);
  return graph;
}

/** The second part: the optimizer alone, for the gathered `gradient.<i>`. */
export function applyStep(network: Network, optimizer: Optimizer, options: TrainStepOptions): Graph {
  const graph = new Graph();
  const layout = networkLayout(network, options).parameters;
  applyUpdate(graph, optimizer, layout, layout.inputs(graph, "parameters"), layout.inputs(graph, "gradient"), options);
  return graph;
}

/** Inputs `parameters.<i>`, `buffers.<i>`, `images.<name>`; output `prediction`, as in evaluation. */
export function predictionStep(network: Network, inputs: InputShapes, layout = networkLayout(network, { inputs })): Graph {
  const graph = new Graph();
  const bound = bindNetwork(graph, network, layout, imageInputs(graph, inputs), "evaluation");
  graph.output("prediction", bound.prediction);
  return graph;
}

/** Adds the network with its tensors taken from the graph inputs `parameters.<i>` and `buffers.<i>`. */
export function bindNetwork(
  graph: Graph,
  network: Network,
  layout: NetworkLayout,
  images: readonly Value[],
  mode: Mode,
): { readonly parameters: readonly Value[]; readonly bound: Parameters; readonly prediction: Value } {
  const parameters = layout.parameters.inputs(graph, "parameters");
  const buffers = layout.buffers.inputs(graph, "buffers");
  const bound = new Parameters(graph, asGiven(layout.parameters.split(parameters), layout.buffers.split(buffers)), mode);
  return { parameters, bound, prediction: network(bound.scope, ...images) };
}

function lossAndGradient(
  graph: Graph,
  network: Network,
  loss: TrainingLoss,
  layout: NetworkLayout,
  { inputs, trades }: Pick<TrainStepOptions, "inputs" | "trades">,
) {
  const { parameters, bound, prediction } = bindNetwork(graph, network, layout, imageInputs(graph, inputs), "training");
  checkPrediction(prediction, loss);
  const { type, shape } = loss.target(prediction);
  const target = graph.input("target", type, shape);
  const [batch, , ...pixels] = prediction.shape;
  const valid = loss.masked ? graph.input("valid", "float32", [batch!, ...pixels]) : undefined;
  const plain = loss.reduce(prediction, target, valid);
  const afterClean = nextBuffers(bound, layout.buffers);
  let [value, after] = [plain, afterClean];
  if (trades) {
    // The attacked images are a batch of their own: normalized by their own statistics, which enter the running ones after those of the clean images.
    const again = new Parameters(
      graph,
      asGiven(layout.parameters.split(parameters), layout.buffers.split(afterClean)),
      "training",
    );
    const attacked = network(again.scope, ...imageInputs(graph, inputs, "attacked"));
    const apart = { attacked, clean: prediction, counted: loss.counted(prediction, target, valid) };
    value = add(plain, mul(disagreement(tasks[loss.task], loss, apart), trades.beta));
    after = nextBuffers(again, layout.buffers);
  }
  const gradient = gradients(value, parameters);
  graph.output("loss", value);
  yieldNext(graph, layout.buffers, "buffers", after);
  return { parameters, gradient };
}

/** The shape of a prediction follows from the task; a network that restores gray pictures has one channel where another has three. */
function checkPrediction({ shape }: Value, { task }: TrainingLoss): void {
  const { kind, extent, channels } = tasks[task];
  const axes = extent === "image" ? 2 : 4;
  const demanded = kind === "values" ? channels : undefined;
  if (shape.length === axes && (demanded === undefined || shape[1] === demanded)) return;
  const second = kind === "classes" ? "classes" : (demanded ?? "C");
  const as = extent === "image" ? `[N, ${second}]` : `[N, ${second}, H, W]`;
  throw new TrainingError(`Training for ${task} needs a prediction ${as}, but this network's is [${shape.join(", ")}].`);
}

/** What the layers say of their running statistics; buffers that none updates stay. */
function nextBuffers({ values, updates }: Parameters, layout: FlatLayout): Value[] {
  return layout.vectors.map(({ declarations }) => {
    const flat = declarations.map(({ name, shape }) => reshape(updates.get(name) ?? values.get(name)!, [sizeOf(shape)]));
    return concat(flat, 0);
  });
}

function yieldNext(graph: Graph, layout: FlatLayout, kind: string, values: readonly Value[]): void {
  layout.names(kind).forEach((name, i) => {
    graph.output(`next.${name}`, values[i]!);
  });
}

/** The optimizer for one section of the parameters. */
export const optimizerOf = (optimizer: Optimizer, { weightDecay }: Section): Optimizer =>
  weightDecay === undefined ? optimizer : optimizer.withWeightDecay(weightDecay);

/** A section's scalars are called so; the section is left out where there is only one. */
export const scalarName = (name: string, section: number, sections: readonly Section[]): string =>
  sections.length === 1 ? `scalar.${name}` : `scalar.${section}.${name}`;

function applyUpdate(
  graph: Graph,
  optimizer: Optimizer,
  layout: FlatLayout,
  parameters: readonly Value[],
  gradient: readonly Value[],
  options: TrainStepOptions,
): void {
  const { clipNorm, average } = options;
  const { sections, vectors } = layout;
  const norm = sqrt(gradient.map((g) => reduceSumSquare(g)).reduce(add));
  // clip_grad_norm_: g · min(1, c / (‖g‖ + 10⁻⁶))
  const factor = clipNorm === undefined ? undefined : clip(mul(reciprocal(add(norm, 1e-6)), clipNorm), undefined, 1);
  const states = optimizer.state.map((name) => [name, layout.inputs(graph, `state.${name}`)] as const);
  const rules = sections.map((section, i) => {
    const own = optimizerOf(optimizer, section);
    const scalar = (name: string) => graph.input(scalarName(name, i, sections), "float32", []);
    return { own, scalars: Object.fromEntries(Object.keys(own.scalars(1, 1)).map((name) => [name, scalar(name)])) };
  });
  const updates = vectors.map(({ section }, i) => {
    const { own, scalars } = rules[section]!;
    return own.update({
      parameters: parameters[i]!,
      gradient: factor ? mul(gradient[i]!, factor) : gradient[i]!,
      state: Object.fromEntries(states.map(([name, values]) => [name, values[i]!])),
      scalars,
    });
  });
  const next = updates.map((u) => u.parameters);
  graph.output("gradient_norm", norm);
  yieldNext(graph, layout, "parameters", next);
  for (const name of optimizer.state) {
    const values = updates.map((u) => u.state[name]!);
    yieldNext(graph, layout, `state.${name}`, values);
  }
  if (average !== undefined) {
    const last = layout.inputs(graph, "average");
    const moved = last.map((value, i) => add(mul(value, average), mul(next[i]!, 1 - average)));
    yieldNext(graph, layout, "average", moved);
  }
}

function imageInputs(graph: Graph, inputs: InputShapes, which: "images" | "attacked" = "images"): Value[] {
  return Object.entries(inputs).map(([name, shape]) => graph.input(`${which}.${name}`, "float32", shape));
}
