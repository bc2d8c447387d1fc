import { namesRead } from "../onnx/check.js";
import type { OnnxModel, OnnxNode } from "../onnx/model.js";
import { allNames } from "../onnx/names.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";

/**
 * Folds BatchNormalization in evaluation mode into the Conv, ConvTranspose or Gemm before it:
 * y = s (W x + b - μ) + β with s = γ / √(σ² + ε) becomes W' = s W, b' = s (b - μ) + β.
 *
 * Where all parameters are constant, the folded ones take their place (`<name>_folded`, computed in double precision). Where some are inputs
 * of the graph, W' and b' are computed in the graph: arithmetic on weights, which costs far less than on activations. Left alone where
 * something else reads the layer's output. Weights of the file are gone afterwards, so this is for models whose weights are not asked for.
 *
 * @param model specialised, with constants among its initializers.
 * @example const faster = foldBatchNormalization(await specialise(model, shapes, evaluate));
 */
export function foldBatchNormalization(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const initializers = new Map(graph.initializers);
  const readers = countReaders(model);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const names = allNames(graph);
  const replaced = new Map<OnnxNode, readonly OnnxNode[]>();
  const valueInfo = new Map(graph.valueInfo);
  const inputs = new Map(graph.inputs.map(({ name, type, shape }) => [name, { type, shape: shape as Shape }] as const));

  for (const node of graph.nodes) {
    const layer = makers.get(node.inputs[0] ?? "");
    if (layer?.domain !== "" || replaced.has(layer) || readers.get(node.inputs[0]!) !== 1) continue;
    // an optional input left out, as a Resize by scales has it
    if (!layer.inputs[1]) continue;
    const parameters = isAffine(node) ? [...layer.inputs.slice(1), ...node.inputs.slice(1)].filter((name) => name !== "") : [];
    const known = (name: string) => initializers.has(name) || inputs.has(name);
    if (parameters.length < 5 || !parameters.every(known)) continue;
    const constant = parameters.every((name) => initializers.has(name));
    const scope: Scope = {
      typeOf: (name) => initializers.get(name) ?? inputs.get(name)!,
      constant: (name) => initializers.get(name)!,
      store: (stem, t) => {
        const name = names.take(stem);
        initializers.set(name, t);
        return name;
      },
      value: (stem, like) => {
        const name = names.take(stem);
        valueInfo.set(name, { name, type: like.type, shape: like.shape });
        return name;
      },
    };
    const folded = constant ? foldConstants(layer, node, scope) : foldInGraph(layer, node, scope);
    if (!folded) continue;
    const { beta: _, ...attributes } = layer.attributes;
    replaced.set(layer, []);
    replaced.set(node, [
      ...folded.nodes,
      { ...layer, inputs: [layer.inputs[0]!, folded.weight, folded.bias], outputs: [node.outputs[0]!], attributes },
    ]);
    valueInfo.delete(node.inputs[0]!);
  }
  // the folded layer stands where the normalisation stood
  const nodes = graph.nodes.flatMap((node) => replaced.get(node) ?? [node]);
  const used = new Set([...nodes.flatMap(namesRead), ...graph.outputs.map((o) => o.name)]);
  for (const name of initializers.keys()) if (!used.has(name)) initializers.delete(name);
  return { ...model, graph: { ...graph, nodes, initializers, valueInfo } };
}

type TypeAndShape = Pick<Tensor, "type" | "shape">;

interface Scope {
  /** Of a parameter. */
  readonly typeOf: (name: string) => TypeAndShape;
  readonly constant: (name: string) => Tensor;
  readonly store: (stem: string, t: Tensor) => string;
  /** A new name for a value of the type and shape of another. */
  readonly value: (stem: string, like: TypeAndShape) => string;
}

interface Folded {
  /** What computes the names below, where they are not constant. */
  readonly nodes: readonly OnnxNode[];
  readonly weight: string;
  readonly bias: string;
}

/** Whether the node is y = scale x + shift for each channel. */
function isAffine(node: OnnxNode): boolean {
  if (node.op !== "BatchNormalization" || node.domain !== "" || node.attributes.training_mode?.value) return false;
  return node.inputs.length === 5 && node.outputs.slice(1).every((name) => name === "");
}

const epsilonOf = (node: OnnxNode) => (node.attributes.epsilon?.value as number | undefined) ?? 1e-5;
const betaOf = (layer: OnnxNode) => (layer.op === "Gemm" ? ((layer.attributes.beta?.value as number | undefined) ?? 1) : 1);

function foldConstants(layer: OnnxNode, node: OnnxNode, { constant, store }: Scope): Folded | undefined {
  const [gamma, shift, mean, variance] = node.inputs.slice(1).map((name) => toNumbers(constant(name))) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const scale = gamma.map((g, c) => g / Math.sqrt(variance[c]! + epsilonOf(node)));
  const weight = constant(layer.inputs[1]!);
  const bias = layer.inputs[2] ? constant(layer.inputs[2]) : undefined;
  const channels = scale.length;
  const blocks = outputChannels(layer, weight.shape, channels);
  if (!blocks || (weight.type !== "float32" && weight.type !== "float64")) return undefined;
  const offsets = bias ? toNumbers(bias) : [0];
  if (bias && offsets.length !== 1 && (offsets.length !== channels || bias.shape.at(-1) !== channels)) return undefined;
  const scaled = weight.data.slice() as Float32Array | Float64Array;
  for (let start = 0, b = 0; start < scaled.length; start += blocks.size, b++) {
    const s = scale[blocks.channelOf(b)]!;
    for (let i = start; i < start + blocks.size; i++) scaled[i]! *= s;
  }
  const shifted = scale.map((s, c) => s * (betaOf(layer) * offsets[offsets.length === 1 ? 0 : c]! - mean[c]!) + shift[c]!);
  return {
    nodes: [],
    weight: store(`${layer.inputs[1]}_folded`, tensor(weight.type, weight.shape, scaled)),
    bias: store(`${layer.inputs[2] || `${layer.inputs[1]}_bias`}_folded`, tensor(weight.type, [channels], shifted)),
  };
}

function foldInGraph(layer: OnnxNode, node: OnnxNode, { typeOf, store, value }: Scope): Folded | undefined {
  const [gamma, shift, mean, variance] = node.inputs.slice(1) as [string, string, string, string];
  const weight = typeOf(layer.inputs[1]!);
  const channels = typeOf(gamma).shape[0]!;
  const axis = channelAxis(layer);
  if (axis === undefined || weight.shape[axis] !== channels || betaOf(layer) !== 1) return undefined;
  if ((weight.type !== "float32" && weight.type !== "float64") || typeOf(gamma).type !== weight.type) return undefined;
  if (layer.inputs[2] && typeOf(layer.inputs[2]).shape.join() !== `${channels}`) return undefined;
  const nodes: OnnxNode[] = [];
  const add = (op: string, inputs: readonly string[], stem: string, like: TypeAndShape): string => {
    const name = value(stem, like);
    nodes.push({ name: "", op, domain: "", inputs, outputs: [name], attributes: {} });
    return name;
  };
  const vector = typeOf(gamma);
  const epsilon = store(`${gamma}_epsilon`, tensor(weight.type, [], [epsilonOf(node)]));
  const deviation = add("Sqrt", [add("Add", [variance, epsilon], `${gamma}_variance`, vector)], `${gamma}_deviation`, vector);
  const scale = add("Div", [gamma, deviation], `${gamma}_scale`, vector);
  const along = weight.shape.map((_, i) => (i === axis ? channels : 1));
  const shape = store(
    `${gamma}_shape`,
    tensor(
      "int64",
      [along.length],
      along.map((n) => BigInt(n)),
    ),
  );
  const spread = add("Reshape", [scale, shape], `${gamma}_spread`, { type: weight.type, shape: along });
  const centred = layer.inputs[2]
    ? add("Sub", [layer.inputs[2], mean], `${gamma}_centred`, vector)
    : add("Neg", [mean], `${gamma}_centred`, vector);
  return {
    weight: add("Mul", [layer.inputs[1]!, spread], `${layer.inputs[1]}_folded`, weight),
    bias: add("Add", [add("Mul", [scale, centred], `${gamma}_shift`, vector), shift], `${shift}_folded`, vector),
    nodes,
  };
}

/** The axis of the weight along which output channels lie, where all of them do. */
function channelAxis(layer: OnnxNode): number | undefined {
  switch (layer.op) {
    case "Conv":
      return 0;
    case "ConvTranspose":
      return ((layer.attributes.group?.value as number | undefined) ?? 1) === 1 ? 1 : undefined;
    case "Gemm":
      return layer.attributes.transB?.value === 1 ? 0 : 1;
    default:
      return undefined;
  }
}

/** The weight as blocks of `size` consecutive elements that belong to one output channel. */
interface Blocks {
  readonly size: number;
  readonly channelOf: (block: number) => number;
}

function outputChannels(layer: OnnxNode, shape: Shape, channels: number): Blocks | undefined {
  const inner = sizeOf(shape.slice(2));
  switch (layer.op) {
    case "Conv": // [C, in / groups, ...]
      return shape[0] === channels ? { size: sizeOf(shape.slice(1)), channelOf: (b) => b } : undefined;
    case "ConvTranspose": {
      // [in, C / groups, ...]: a group's inputs make that group's outputs
      const groups = (layer.attributes.group?.value as number | undefined) ?? 1;
      const [inputs, perGroup] = shape as [number, number];
      if (perGroup * groups !== channels) return undefined;
      const groupOf = (b: number) => Math.floor(Math.floor(b / perGroup) / (inputs / groups));
      return { size: inner, channelOf: (b) => groupOf(b) * perGroup + (b % perGroup) };
    }
    case "Gemm": {
      const [rows, columns] = shape as [number, number];
      const transposed = layer.attributes.transB?.value === 1;
      if ((transposed ? rows : columns) !== channels) return undefined;
      return transposed ? { size: columns, channelOf: (b) => b } : { size: 1, channelOf: (b) => b % columns };
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
