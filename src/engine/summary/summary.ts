import { namesBeside } from "../autodiff/gradient-graph.js";
import { reverseSweep, waysTo } from "../autodiff/gradients.js";
import { type Ends, NotDifferentiableError, type Obstacle } from "../autodiff/obstacles.js";
import type { KnownPart } from "../compile/known-part.js";
import { neededNodes } from "../graph/copy.js";
import { bytesOf, flops, peakMemory } from "../graph/cost.js";
import { embed } from "../graph/embed.js";
import { Graph, type Node, type ValueType } from "../graph/graph.js";
import { nodeLabel, type Operator } from "../graph/operator.js";
import { nodeTitle } from "../onnx/check.js";
import { Conv } from "../operators/convolution/conv.js";
import { BatchNormalization } from "../operators/normalization/batch-normalization.js";
import { normalizationOperators } from "../operators/normalization/index.js";
import { isFloat, sizeOf } from "../tensor/tensor.js";
import { drawingNodes } from "./randomness.js";

/** What a graph is made of and costs. */
export interface ModelSummary {
  readonly inputs: readonly (ValueType & { name: string })[];
  readonly outputs: readonly (ValueType & { name: string })[];
  readonly parameters: number;
  readonly parameterBytes: number;
  readonly flops: number;
  /** Operators by count, most frequent first. `gradient`: whether a gradient can pass, "obstacle" where it stops one on the way from input to output. */
  readonly operators: readonly {
    readonly name: string;
    readonly count: number;
    readonly flops: number;
    readonly gradient: "yes" | "zero" | "none";
    readonly obstacle: boolean;
  }[];
  readonly gradient: GradientSummary;
  /** Where shapes depend on data, the rest is not counted above. Undefined where everything is known. */
  readonly beyond: BeyondSummary | undefined;
  readonly batchNormalization: BatchNormalizationState;
  /** Nodes that draw new numbers in each run (Dropout in training mode, RandomNormal, ...), so that no two runs yield the same. */
  readonly random: readonly string[];
  readonly largestActivations: readonly {
    readonly name: string;
    readonly node: string;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
  /** Estimated peak of inner values, in bytes. */
  readonly forwardMemory: number;
}

/** Whether gradients pass from the floating-point outputs to the floating-point inputs. */
export type GradientSummary =
  /** `zero` names inputs that no output depends on in a differentiable way, and outputs that depend so on no input. */
  | { readonly kind: "exists"; readonly zero: readonly string[]; readonly memory: number }
  /** `lastValues` are the last ones before the obstacles that can be differentiated. */
  | {
      readonly kind: "stopped";
      readonly obstacles: readonly { readonly node: string; readonly because: string }[];
      readonly lastValues: readonly string[];
    }
  | {
      readonly kind: "zero everywhere";
      readonly ends: readonly { readonly node: string; readonly because: string }[];
      readonly lastValues: readonly string[];
    }
  | { readonly kind: "no floating-point input or output" };

/** The part of a model behind nodes whose shapes depend on data. */
export interface BeyondSummary {
  /** The nodes whose shapes are unknown. */
  readonly stops: readonly { readonly node: string; readonly because: string }[];
  /** The model's outputs that lie there. */
  readonly outputs: readonly string[];
  /** All operators of the part. */
  readonly operators: readonly { readonly name: string; readonly count: number }[];
  /** The last values before it that can be differentiated. */
  readonly lastValues: readonly string[];
}

/** `folded`: convolutions with biases and no BatchNormalization, which is how exporters leave it; a guess where a network never had any. */
export type BatchNormalizationState =
  | { readonly kind: "present"; readonly nodes: number }
  | { readonly kind: "none"; readonly likelyFolded: boolean };

/**
 * Summarizes a graph, or the known part of a model.
 *
 * @example summarize(await specialize(model, { x: [1, 3, 224, 224] }, engine.evaluate))
 */
export function summarize(model: Graph | KnownPart): ModelSummary {
  const graph = model instanceof Graph ? model : model.graph;
  const isOutput = (name: string) => model instanceof Graph || model.outputs.includes(name);
  const nodes = neededNodes(graph.outputs.values());
  const { gradient, blocked } = gradientOf(graph);
  const groups = new Map<string, { count: number; flops: number; gradient: "yes" | "zero" | "none" }>();
  for (const node of nodes) {
    const rule = node.operator.gradient;
    const known = groups.get(node.operator.name) ?? {
      count: 0,
      flops: 0,
      gradient: typeof rule === "function" ? ("yes" as const) : rule.kind === "zero" ? ("zero" as const) : ("none" as const),
    };
    groups.set(node.operator.name, { ...known, count: known.count + 1, flops: known.flops + flops(node) });
  }
  const read = new Set([...nodes.flatMap((n) => n.inputs), ...graph.outputs.values()]);
  const weights = [...read]
    .flatMap((v) => v?.constant ?? [])
    .filter((t) => isFloat(t.type) || t.type === "int8" || t.type === "uint8");
  const activations = nodes.flatMap((n) => n.outputs.map((v) => ({ v, n }))).sort((a, b) => bytesOf(b.v) - bytesOf(a.v));
  return {
    inputs: graph.inputs.map(({ name, type, shape }) => ({ name, type, shape })),
    outputs: [...graph.outputs].flatMap(([name, { type, shape }]) => (isOutput(name) ? [{ name, type, shape }] : [])),
    parameters: weights.reduce((sum, t) => sum + sizeOf(t.shape), 0),
    parameterBytes: weights.reduce((sum, t) => sum + t.data.byteLength, 0),
    flops: nodes.reduce((sum, n) => sum + flops(n), 0),
    operators: [...groups].map(([name, g]) => ({ name, ...g, obstacle: blocked.has(name) })).sort((a, b) => b.count - a.count),
    gradient,
    beyond: model instanceof Graph || model.leftOut.length === 0 ? undefined : beyond(model),
    batchNormalization: batchNormalization(nodes),
    random: drawingNodes(graph.outputs.values()),
    largestActivations: activations
      .slice(0, 5)
      .map(({ v, n }) => ({ name: v.name, node: nodeLabel(n), shape: v.shape, bytes: bytesOf(v) })),
    forwardMemory: peakMemory(graph),
  };
}

function gradientOf(source: Graph): { gradient: GradientSummary; blocked: ReadonlySet<string> } {
  const graph = new Graph();
  const names = namesBeside(source);
  const embedded = embed(
    graph,
    source,
    Object.fromEntries(source.inputs.map((v) => [v.name, graph.input(v.name, v.type, v.shape)])),
  );
  for (const [name, v] of Object.entries(embedded.outputs)) graph.output(name, v);
  const blocked = new Set<string>();
  const inputs = graph.inputs.filter((v) => isFloat(v.type));
  const outputs = [...graph.outputs].filter(([, v]) => isFloat(v.type));
  const labels = (nodes: readonly Obstacle[]) => nodes.map(({ node, because }) => ({ node: nodeLabel(node), because }));
  const zeroEverywhere = ({ nodes, lastValues }: Ends) =>
    ({ kind: "zero everywhere", ends: labels(nodes), lastValues: lastValues.map((v) => v.name) }) as const;
  if (outputs.length === 0 && inputs.length > 0) {
    const { ends } = waysTo([...graph.outputs.values()], inputs);
    if (ends.nodes.length > 0) return { gradient: zeroEverywhere(ends), blocked };
  }
  if (inputs.length === 0 || outputs.length === 0) return { gradient: { kind: "no floating-point input or output" }, blocked };
  const seeds = outputs.map(([name, of]) => ({ of, cotangent: graph.input(names.fresh(`v.${name}`), of.type, of.shape) }));
  try {
    const { cotangents, active, ends } = reverseSweep(seeds, inputs);
    if (cotangents.every((g) => g === undefined)) return { gradient: zeroEverywhere(ends), blocked };
    const zero = [
      ...inputs.flatMap((v, i) => (cotangents[i] ? [] : [v.name])),
      ...outputs.flatMap(([name, of]) => (active.has(of) ? [] : [name])),
    ];
    cotangents.forEach((g, i) => {
      if (g) graph.output(names.fresh(`d.${inputs[i]!.name}`), g);
    });
    return { gradient: { kind: "exists", zero, memory: peakMemory(graph) }, blocked };
  } catch (error) {
    if (!(error instanceof NotDifferentiableError)) throw error;
    for (const { node } of error.nodes) blocked.add(node.operator.name);
    const lastValues = error.lastValues.map((v) => v.name);
    return { gradient: { kind: "stopped", obstacles: labels(error.nodes), lastValues }, blocked };
  }
}

function beyond({ leftOut, lastValues, unknownOutputs }: KnownPart): BeyondSummary {
  const count = new Map<string, number>();
  for (const { node } of leftOut) count.set(node.op, (count.get(node.op) ?? 0) + 1);
  return {
    stops: leftOut.flatMap(({ node, because }) => (because === undefined ? [] : [{ node: nodeTitle(node), because }])),
    outputs: unknownOutputs,
    operators: [...count].map(([name, n]) => ({ name, count: n })),
    lastValues,
  };
}

function batchNormalization(nodes: readonly Node[]): BatchNormalizationState {
  const count = nodes.filter((n) => n.operator === BatchNormalization).length;
  if (count > 0) return { kind: "present", nodes: count };
  const convolutions = nodes.filter((n) => n.operator === Conv);
  const normalized = nodes.some((n) => normalizations.has(n.operator));
  return { kind: "none", likelyFolded: !normalized && convolutions.length >= 5 && convolutions.every((n) => n.inputs[2]) };
}

const normalizations: ReadonlySet<Operator> = new Set(Object.values(normalizationOperators));
