import { gradientModel } from "../autodiff/gradient-model.js";
import { NotDifferentiableError } from "../autodiff/gradients.js";
import { graphOf } from "../compile/rewrite.js";
import { neededNodes } from "../graph/build.js";
import { type Graph, GraphError, type ValueType } from "../graph/graph.js";
import { nodeLabel } from "../graph/operator.js";
import type { OnnxModel } from "../onnx/model.js";
import { isFloat, sizeOf } from "../tensor/tensor.js";
import { bytesOf, flops, peakMemory } from "./cost.js";

/** What a specialised model is made of and costs. */
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
  /** Nodes between float inputs and float outputs through which no gradient exists. */
  readonly obstacles: readonly { readonly node: string; readonly because: string }[];
  readonly batchNormalization: BatchNormalizationState;
  readonly largestActivations: readonly {
    readonly name: string;
    readonly node: string;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
  /** Estimated peak of inner values, in bytes. */
  readonly forwardMemory: number;
  readonly gradientMemory: number | undefined;
}

/** `folded`: convolutions with biases and no BatchNormalization, which is how exporters leave it; a guess where a network never had any. */
export type BatchNormalizationState =
  | { readonly kind: "present"; readonly nodes: number }
  | { readonly kind: "none"; readonly likelyFolded: boolean };

/**
 * Summarises a specialised model.
 *
 * @example summarise(await specialise(model, { x: [1, 3, 224, 224] }, engine.evaluate))
 */
export function summarise(model: OnnxModel): ModelSummary {
  const graph = graphOf(model);
  const needed = neededNodes([...graph.outputs.values()]);
  const nodes = graph.nodes.filter((n) => needed.has(n));
  const gradient = gradientGraph(model);
  const blocked = new Set(gradient.obstacles.map((o) => o.operator));
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
  const weights = [...model.graph.initializers.values()].filter(
    (t) => isFloat(t.type) || t.type === "int8" || t.type === "uint8",
  );
  const activations = nodes.flatMap((n) => n.outputs.map((v) => ({ v, n }))).sort((a, b) => bytesOf(b.v) - bytesOf(a.v));
  return {
    inputs: graph.inputs.map(({ name, type, shape }) => ({ name, type, shape })),
    outputs: [...graph.outputs].map(([name, { type, shape }]) => ({ name, type, shape })),
    parameters: weights.reduce((sum, t) => sum + sizeOf(t.shape), 0),
    parameterBytes: weights.reduce((sum, t) => sum + t.data.byteLength, 0),
    flops: nodes.reduce((sum, n) => sum + flops(n), 0),
    operators: [...groups].map(([name, g]) => ({ name, ...g, obstacle: blocked.has(name) })).sort((a, b) => b.count - a.count),
    obstacles: gradient.obstacles.map(({ node, because }) => ({ node, because })),
    batchNormalization: batchNormalization(nodes.map((n) => ({ name: n.operator.name, bias: n.inputs[2] !== undefined }))),
    largestActivations: activations
      .slice(0, 5)
      .map(({ v, n }) => ({ name: v.name, node: nodeLabel(n), shape: v.shape, bytes: bytesOf(v) })),
    forwardMemory: peakMemory(graph),
    gradientMemory: gradient.graph && peakMemory(gradient.graph),
  };
}

function gradientGraph(model: OnnxModel): {
  graph: Graph | undefined;
  obstacles: { node: string; operator: string; because: string }[];
} {
  try {
    return { graph: graphOf(gradientModel(model)), obstacles: [] };
  } catch (error) {
    if (error instanceof GraphError) return { graph: undefined, obstacles: [] };
    if (!(error instanceof NotDifferentiableError)) throw error;
    return {
      graph: undefined,
      obstacles: error.nodes.map(({ node, because }) => ({ node: nodeLabel(node), operator: node.operator.name, because })),
    };
  }
}

function batchNormalization(nodes: readonly { name: string; bias: boolean }[]): BatchNormalizationState {
  const count = nodes.filter((n) => n.name === "BatchNormalization").length;
  if (count > 0) return { kind: "present", nodes: count };
  const convolutions = nodes.filter((n) => n.name === "Conv");
  const normalised = nodes.some((n) => /^(Layer|Instance|Group)Normalization$/.test(n.name));
  return { kind: "none", likelyFolded: !normalised && convolutions.length >= 5 && convolutions.every((n) => n.bias) };
}
