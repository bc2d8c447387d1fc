import { namesRead } from "../onnx/check.js";
import type { OnnxModel, OnnxNode } from "../onnx/model.js";
import { isFloat, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";

/**
 * Folds BatchNormalization in evaluation mode into the Conv, ConvTranspose or Gemm before it:
 * y = s (W x + b - μ) + β with s = γ / √(σ² + ε) becomes W' = s W, b' = s (b - μ) + β, computed in double precision.
 *
 * Only where all parameters are constant and nothing else reads the layer's output. Weights of the file are replaced by folded ones
 * (`<name>_folded`), so this is for models whose weights are not asked for.
 *
 * @param model specialised, with constants among its initializers.
 * @example const faster = foldBatchNormalization(await specialise(model, shapes, evaluate));
 */
export function foldBatchNormalization(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const initializers = new Map(graph.initializers);
  const readers = countReaders(model);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const taken = new Set([...graph.inputs.map((i) => i.name), ...initializers.keys(), ...makers.keys()]);
  const replaced = new Map<OnnxNode, OnnxNode | undefined>();
  const valueInfo = new Map(graph.valueInfo);

  const store = (name: string, t: Tensor): string => {
    let unique = `${name}_folded`;
    for (let i = 1; taken.has(unique); i++) unique = `${name}_folded_${i}`;
    taken.add(unique);
    initializers.set(unique, t);
    return unique;
  };
  for (const node of graph.nodes) {
    const layer = makers.get(node.inputs[0] ?? "");
    const normalization = affineOf(node, graph.initializers);
    if (!layer || !normalization || replaced.has(layer) || readers.get(node.inputs[0]!) !== 1) continue;
    const folded = foldInto(layer, normalization, graph.initializers);
    if (!folded) continue;
    const weight = store(layer.inputs[1]!, folded.weight);
    const bias = store(layer.inputs[2] || `${layer.inputs[1]}_bias`, folded.bias);
    replaced.set(layer, undefined);
    replaced.set(node, {
      ...layer,
      inputs: [layer.inputs[0]!, weight, bias],
      outputs: [node.outputs[0]!],
      attributes: folded.attributes,
    });
    valueInfo.delete(node.inputs[0]!);
  }
  // the folded layer stands where the normalisation stood
  const nodes = graph.nodes.flatMap((node) => (replaced.has(node) ? (replaced.get(node) ?? []) : [node]));
  const used = new Set([...nodes.flatMap(namesRead), ...graph.outputs.map((o) => o.name)]);
  for (const name of initializers.keys()) if (!used.has(name)) initializers.delete(name);
  return { ...model, graph: { ...graph, nodes, initializers, valueInfo } };
}

/** y = scale x + shift for each channel. */
interface Affine {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

function affineOf(node: OnnxNode, constants: ReadonlyMap<string, Tensor>): Affine | undefined {
  if (node.op !== "BatchNormalization" || node.domain !== "" || node.attributes.training_mode?.value) return undefined;
  if (node.outputs.slice(1).some((name) => name !== "")) return undefined;
  const parameters = node.inputs.slice(1).map((name) => constants.get(name));
  if (!parameters.every((t) => t !== undefined)) return undefined;
  const [gamma, beta, mean, variance] = parameters.map(toNumbers) as [number[], number[], number[], number[]];
  const epsilon = (node.attributes.epsilon?.value as number | undefined) ?? 1e-5;
  const scale = gamma.map((g, c) => g / Math.sqrt(variance[c]! + epsilon));
  return { scale, shift: beta.map((b, c) => b - mean[c]! * scale[c]!) };
}

interface Folded {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly attributes: OnnxNode["attributes"];
}

function foldInto(layer: OnnxNode, { scale, shift }: Affine, constants: ReadonlyMap<string, Tensor>): Folded | undefined {
  const weight = constants.get(layer.inputs[1] ?? "");
  const bias = layer.inputs[2] ? constants.get(layer.inputs[2]) : undefined;
  if (layer.domain !== "" || !weight || !isFloat(weight.type) || weight.type === "float16" || (layer.inputs[2] && !bias))
    return undefined;
  const channelOf = outputChannel(layer, weight, scale.length);
  if (!channelOf) return undefined;
  const beta = layer.op === "Gemm" ? ((layer.attributes.beta?.value as number | undefined) ?? 1) : 1;
  const offsets = bias ? toNumbers(bias) : [0];
  if (bias && offsets.length !== 1 && (offsets.length !== scale.length || bias.shape.at(-1) !== scale.length)) return undefined;
  const { beta: _, ...attributes } = layer.attributes;
  return {
    weight: tensor(
      weight.type,
      weight.shape,
      toNumbers(weight).map((w, i) => w * scale[channelOf(i)]!),
    ),
    bias: tensor(
      weight.type,
      [scale.length],
      scale.map((s, c) => beta * offsets[offsets.length === 1 ? 0 : c]! * s + shift[c]!),
    ),
    attributes,
  };
}

/** Which output channel an element of the weight belongs to. */
function outputChannel(layer: OnnxNode, weight: Tensor, channels: number): ((index: number) => number) | undefined {
  const inner = weight.data.length / (weight.shape[0]! * (weight.shape[1] ?? 1));
  switch (layer.op) {
    case "Conv": // [C, in / groups, ...]
      return weight.shape[0] === channels ? (i) => Math.floor(i / (weight.data.length / channels)) : undefined;
    case "ConvTranspose": {
      // [in, C / groups, ...]: a group's inputs make that group's outputs
      const groups = (layer.attributes.group?.value as number | undefined) ?? 1;
      const [inputs, perGroup] = weight.shape as [number, number];
      if (perGroup * groups !== channels) return undefined;
      return (i) => {
        const group = Math.floor(Math.floor(i / (inner * perGroup)) / (inputs / groups));
        return group * perGroup + (Math.floor(i / inner) % perGroup);
      };
    }
    case "Gemm": {
      const transposed = layer.attributes.transB?.value === 1;
      const [rows, columns] = weight.shape as [number, number];
      if ((transposed ? rows : columns) !== channels) return undefined;
      return transposed ? (i) => Math.floor(i / columns) : (i) => i % columns;
    }
    default:
      return undefined;
  }
}

function countReaders(model: OnnxModel): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { name } of model.graph.outputs) add(name);
  for (const node of model.graph.nodes) for (const name of namesRead(node)) add(name);
  return counts;
}
