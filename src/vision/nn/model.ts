import { Graph, type Value } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Shape, Tensor } from "../../engine/tensor/tensor.js";
import { CheckpointError } from "./checkpoints/error.js";
import { asFloat32, matchParameters, type StateDict } from "./checkpoints/state-dict.js";
import { asConstants, asInputs, type Declaration, initial, type Mode, Parameters, type Scope } from "./scope.js";

/** A network: a function of its parameters' scope and its float32 inputs, [N, C, H, W] each. */
export type Network = (p: Scope, ...inputs: readonly Value[]) => Value;

/** What every configuration may say. */
export interface ImageNetwork {
  /** Channels of each image that the network takes; default 3. */
  readonly imageChannels?: number;
}

/** The inputs of a network by name, in the order in which it takes them. */
export type InputShapes = Readonly<Record<string, Shape>>;

/** Everything a network asks of its scope, in the order of asking. Nothing is computed or initialized. */
export function declarations(network: Network, inputs: InputShapes): ReadonlyMap<string, Declaration> {
  const parameters = new Parameters(new Graph(), asInputs);
  network(parameters.scope, ...graphInputs(parameters.graph, inputs));
  return parameters.declarations;
}

/** The shape of what a network gives for images of these shapes. Nothing is computed. */
export function predictionShape(network: Network, inputs: InputShapes): Shape {
  const { graph, scope } = new Parameters(new Graph(), asInputs);
  return network(scope, ...graphInputs(graph, inputs)).shape;
}

/** A network's freshly initialized tensors; the same seed gives the same bits. */
export function initialState(network: Network, inputs: InputShapes, seed: number | string): Map<string, Tensor<"float32">> {
  return new Map([...declarations(network, inputs)].map(([name, d]) => [name, initial(d, seed)]));
}

/**
 * A network with its weights as constants, ready to be saved, attacked or inspected. Its output is named "output".
 *
 * @param mode "training" normalizes with statistics of the batch; the updates of running statistics are left out. Default "evaluation".
 * @throws CheckpointError listing every tensor that is missing, unexpected or misshapen.
 * @example networkModel(findNetwork("nafnet-gopro-w32").network, await loadCheckpoint("nafnet.pth"), { image: [1, 3, 720, 1280] })
 */
export function networkModel(network: Network, state: StateDict, inputs: InputShapes, mode: Mode = "evaluation"): OnnxModel {
  const expected = new Map([...declarations(network, inputs)].map(([name, { shape }]) => [name, shape]));
  const problems = matchParameters(expected, state, { strict: true });
  if (problems.length > 0) throw new CheckpointError(summary(problems));
  const graph = new Graph();
  const values = graphInputs(graph, inputs);
  graph.output("output", network(new Parameters(graph, asConstants(asFloat32(state)), mode).scope, ...values));
  return graph.build();
}

function graphInputs(graph: Graph, inputs: InputShapes): Value[] {
  return Object.entries(inputs).map(([name, shape]) => graph.input(name, "float32", shape));
}

function summary(problems: readonly string[]): string {
  const shown = problems.slice(0, 5);
  const rest = problems.length - shown.length;
  return `The checkpoint does not fit the network. ${shown.join(" ")}${rest > 0 ? ` (${rest} more of this kind.)` : ""}`;
}
