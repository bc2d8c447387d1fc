import { neededNodes } from "../graph/build.js";
import { GraphError, type Node, type Value } from "../graph/graph.js";
import { type GradientOptions, type GradientRule, nodeLabel } from "../graph/operator.js";
import { add } from "../operators/elementwise/add.js";
import { scalar } from "../operators/emit.js";
import { expand } from "../operators/layout/expand.js";
import { zerosLike } from "../operators/zeros.js";
import { describe, isFloat, sameShape } from "../tensor/tensor.js";

/** Operators without a gradient stand between what is differentiated and what it is differentiated by. Lists every such node. */
export class NotDifferentiableError extends Error {
  override readonly name = "NotDifferentiableError";
  constructor(readonly nodes: readonly { readonly node: Node; readonly because: string }[]) {
    const list = nodes.map(({ node, because }) => `  ${nodeLabel(node)} (output "${node.outputs[0]!.name}"): ${because}`);
    super(`No gradient exists through ${nodes.length === 1 ? "this node" : `these ${nodes.length} nodes`}:\n${list.join("\n")}`);
  }
}

const defaults: GradientOptions = { rounding: "default" };

/**
 * Gradients of `of` (summed over its elements where it is not a scalar) with respect to each value of `wrt`, built into the same graph.
 *
 * @param wrt inputs, constants (weights) or inner values; each gradient has the shape and type of its value. A value that `of` does not
 *   depend on gets zeros.
 * @throws NotDifferentiableError naming every node on the way that has no gradient.
 * @example const [dx] = gradients(reduceMean(y), [x]);
 */
export function gradients(of: Value, wrt: readonly Value[], options: Partial<GradientOptions> = {}): Value[] {
  return vectorJacobianProduct([{ of, cotangent: ones(of) }], wrt, options);
}

/**
 * Gradients of `Σ ⟨cotangent, of⟩` with respect to each value of `wrt`: the reverse sweep itself.
 *
 * @throws NotDifferentiableError, GraphError (a cotangent whose shape is not that of its value).
 */
export function vectorJacobianProduct(
  seeds: readonly { readonly of: Value; readonly cotangent: Value }[],
  wrt: readonly Value[],
  options: Partial<GradientOptions> = {},
): Value[] {
  for (const { of, cotangent } of seeds) {
    if (!isFloat(of.type)) throw new GraphError(`"${of.name}" is ${describe(of)}; only floating-point values have gradients.`);
    if (!sameShape(of.shape, cotangent.shape))
      throw new GraphError(`The cotangent of "${of.name}" is ${describe(cotangent)} instead of ${describe(of)}.`);
  }
  for (const x of wrt) {
    if (!isFloat(x.type))
      throw new GraphError(`"${x.name}" is ${describe(x)}; gradients exist with respect to floating-point values only.`);
  }
  const needed = neededNodes(seeds.map((s) => s.of));
  const first = seeds[0]?.of ?? wrt[0];
  if (!first) return [];
  const order = first.graph.nodes.filter((n) => needed.has(n));
  const active = activeValues(order, wrt);

  const collected = new Map<Value, Value>();
  const accumulate = (v: Value, g: Value): void => {
    if (!sameShape(g.shape, v.shape))
      throw new GraphError(`Gradient rule of ${v.node ? nodeLabel(v.node) : v.name}: cotangent ${describe(g)} for ${v}.`);
    const known = collected.get(v);
    collected.set(v, known ? add(known, g) : g);
  };
  for (const { of, cotangent } of seeds) if (active.has(of)) accumulate(of, cotangent);

  const obstacles: { node: Node; because: string }[] = [];
  for (const node of order.reverse()) {
    const cotangents = node.outputs.map((v) => collected.get(v));
    if (cotangents.every((g) => g === undefined)) continue;
    const wanted = node.inputs.map((v) => v !== undefined && active.has(v));
    if (!wanted.some(Boolean)) continue;
    const rule = node.operator.gradient;
    if (typeof rule !== "function") {
      if (rule.kind === "not differentiable") obstacles.push({ node, because: rule.because });
      continue;
    }
    applyRule(rule, node, cotangents, wanted, { ...defaults, ...options }).forEach((g, i) => {
      if (g && wanted[i]) accumulate(node.inputs[i]!, g);
    });
  }
  if (obstacles.length > 0) throw new NotDifferentiableError(obstacles.reverse());
  return wrt.map((x) => collected.get(x) ?? zerosLike(x));
}

/** Values that depend on `wrt` through something that carries a gradient. */
function activeValues(order: readonly Node[], wrt: readonly Value[]): Set<Value> {
  const active = new Set(wrt);
  for (const node of order) {
    const { gradient } = node.operator;
    if (typeof gradient !== "function" && gradient.kind === "zero") continue;
    const sources = node.inputs.filter((v) => v && active.has(v));
    if (sources.length === 0) continue;
    const carriesIntegers = quantizers.has(node.operator.name) || sources.some((v) => !isFloat(v!.type));
    for (const v of node.outputs) if (isFloat(v.type) || carriesIntegers) active.add(v);
  }
  return active;
}

/**
 * Operators that write real numbers down as integers. The cotangent of such an integer is that of the number it stands for, so that straight-
 * through gradients reach through quantised operators; other integers (indices, shapes) depend on nothing in a differentiable way.
 */
const quantizers = new Set(["QuantizeLinear", "DynamicQuantizeLinear"]);

function applyRule(
  rule: GradientRule,
  node: Node,
  cotangents: readonly (Value | undefined)[],
  wanted: readonly boolean[],
  options: GradientOptions,
) {
  const fail = (message: string): never => {
    throw new GraphError(
      `Gradient of ${nodeLabel(node)}: ${message} (inputs: ${node.inputs.map((v) => (v ? describe(v) : "none")).join(", ")}).`,
    );
  };
  return rule({ inputs: node.inputs, outputs: node.outputs, attributes: node.attributes, wanted, options, fail }, cotangents);
}

function ones(v: Value): Value {
  return expand(scalar(v.graph, 1, v.type), v.shape);
}
