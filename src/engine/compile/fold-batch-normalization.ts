import type { Graph, Node, Value } from "../graph/graph.js";
import { nodeAs } from "../graph/operator.js";
import { Conv } from "../operators/convolution/conv.js";
import { ConvTranspose } from "../operators/convolution/conv-transpose.js";
import { add } from "../operators/elementwise/add.js";
import { div } from "../operators/elementwise/div.js";
import { mul } from "../operators/elementwise/mul.js";
import { neg } from "../operators/elementwise/neg.js";
import { sqrt } from "../operators/elementwise/sqrt.js";
import { sub } from "../operators/elementwise/sub.js";
import { reshape } from "../operators/layout/reshape.js";
import { Gemm } from "../operators/linear/gemm.js";
import { BatchNormalization } from "../operators/normalization/batch-normalization.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { type RewriteContext, rewrite } from "./rewrite.js";
import { isFixed } from "./rewrites/match.js";

/**
 * Folds BatchNormalization in evaluation mode into the Conv, ConvTranspose or Gemm before it:
 * y = s (W x + b - μ) + β with s = γ / √(σ² + ε) becomes W' = s W, b' = s (b - μ) + β.
 *
 * Where all parameters are constant, the folded ones take their place (`<name>_folded`, computed in double precision). Where some are inputs
 * of the graph or computed from constants, W' and b' are computed in the graph: arithmetic on weights, which costs far less than on
 * activations. Left alone where something else reads the layer's output. Weights of the file are gone afterwards, so this is for graphs whose
 * weights are not asked for.
 *
 * @example const faster = foldBatchNormalization(await specialize(model, shapes, evaluate));
 */
export const foldBatchNormalization = (graph: Graph): Graph => rewrite(graph, [{ scope: "all", apply: folded }]);

function folded(node: Node, context: RewriteContext): readonly Value[] | undefined {
  const normalization = nodeAs(BatchNormalization, node);
  if (normalization?.attributes.training_mode !== 0) return undefined;
  const [y, gamma, beta, mean, variance] = normalization.inputs;
  const layer = y.node;
  const [x, weight, bias] = layer?.inputs ?? [];
  const channels = y.shape[1]!;
  const blocks = layer && weight && blocksOf(layer, weight.shape);
  if (!blocks || !x || blocks.outer * blocks.inner !== channels || context.uses(0) !== 1) return undefined;
  const parameters = [weight, gamma, beta, mean, variance, ...(bias ? [bias] : [])];
  if (!parameters.every((v) => v.origin.kind === "input" || isFixed(v))) return undefined;
  if (!parameters.every((v) => v.type === weight.type) || (weight.type !== "float32" && weight.type !== "float64"))
    return undefined;
  // a bias for each channel, or one for all
  if (bias && sizeOf(bias.shape) !== 1 && (sizeOf(bias.shape) !== channels || bias.shape.at(-1) !== channels)) return undefined;
  // Gemm adds beta times its bias
  const { beta: share = 1, ...attributes } = layer.attributes as { readonly beta?: number };
  const parts: Parts = { weight, bias, share, gamma, beta, mean, variance, epsilon: normalization.attributes.epsilon, blocks };
  const [w, b] = parameters.every((v) => v.constant) ? numerically(parts) : inGraph(parts);
  return context.graph.add(layer.operator, [x, w, b], attributes, { name: layer.name, outputNames: [node.outputs[0]!.name] });
}

interface Parts {
  readonly weight: Value;
  readonly bias: Value | undefined;
  readonly share: number;
  readonly gamma: Value;
  readonly beta: Value;
  readonly mean: Value;
  readonly variance: Value;
  readonly epsilon: number;
  readonly blocks: Blocks;
}

function inGraph({ weight, bias, share, gamma, beta, mean, variance, epsilon, blocks }: Parts): readonly [Value, Value] {
  const { outer, spread, inner, rest } = blocks;
  const scale = div(gamma, sqrt(add(variance, epsilon)));
  const scaled = mul(reshape(weight, [outer, spread, inner, rest]), reshape(scale, [outer, 1, inner, 1]));
  const own = bias && (share === 1 ? reshape(bias, [-1]) : mul(reshape(bias, [-1]), share));
  return [reshape(scaled, weight.shape), add(mul(scale, own ? sub(own, mean) : neg(mean)), beta)];
}

function numerically({ weight, bias, share, gamma, beta, mean, variance, epsilon, blocks }: Parts): readonly [Value, Value] {
  const { spread, inner, rest } = blocks;
  const [g, b, m, v, c] = [gamma, beta, mean, variance, bias].map((p) => (p ? toNumbers(p.constant!) : [0]));
  const scale = g!.map((gi, i) => gi / Math.sqrt(v![i]! + epsilon));
  const scaled = weight.constant!.data.slice() as Float32Array | Float64Array;
  for (let i = 0; i < scaled.length; i++)
    scaled[i]! *= scale[Math.floor(i / (spread * inner * rest)) * inner + (Math.floor(i / rest) % inner)]!;
  const shifted = scale.map((s, i) => s * (share * c![c!.length === 1 ? 0 : i]! - m![i]!) + b![i]!);
  const constant = (name: string, t: Tensor) => weight.graph.constant(t, `${name}_folded`, "computed");
  return [
    constant(weight.name, tensor(weight.type, weight.shape, scaled)),
    constant(bias?.name ?? `${weight.name}_bias`, tensor(weight.type, [scale.length], shifted)),
  ];
}

/** A weight as [outer, spread, inner, rest]: output channel `o · inner + i` has the elements [o, :, i, :]. */
interface Blocks {
  readonly outer: number;
  readonly spread: number;
  readonly inner: number;
  readonly rest: number;
}

function blocksOf({ operator, attributes }: Node, shape: Shape): Blocks | undefined {
  const [first, second] = shape as [number, number];
  const rest = sizeOf(shape.slice(2));
  if (operator === Conv) return { outer: first, spread: 1, inner: 1, rest: second * rest };
  if (operator === Gemm)
    return attributes.transB === 1
      ? { outer: first, spread: 1, inner: 1, rest: second }
      : { outer: 1, spread: first, inner: second, rest: 1 };
  if (operator !== ConvTranspose) return undefined;
  // a group's inputs make that group's outputs
  const groups = attributes.group as number;
  return { outer: groups, spread: first / groups, inner: second, rest };
}
