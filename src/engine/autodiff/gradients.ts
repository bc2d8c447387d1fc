import { neededNodes } from "../graph/copy.js";
import { GraphError, type Node, type Value } from "../graph/graph.js";
import { type GradientOptions, type GradientRule, nodeLabel } from "../graph/operator.js";
import { add } from "../operators/elementwise/add.js";
import { cast } from "../operators/elementwise/cast.js";
import { scalar } from "../operators/emit.js";
import { expand } from "../operators/layout/expand.js";
import { zerosLike } from "../operators/zeros.js";
import { describe, gradientType, isFloat, sameShape, sizeOf } from "../tensor/tensor.js";
import { type Ends, lastValuesBefore, NotDifferentiableError, type Obstacle, ZeroGradientError } from "./obstacles.js";
import { operandsOf } from "./operands.js";

const defaults: GradientOptions = { rounding: "default" };

/** A value to differentiate, and the cotangent (of its shape) that is given for it. */
export interface Seed {
  readonly of: Value;
  readonly cotangent: Value;
}

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
 * As `gradients`, for whoever has no use for zeros.
 *
 * @param what the name of `of` in errors.
 * @throws ZeroGradientError where every gradient would be 0 everywhere, for nothing differentiable leads from `of` to any value of `wrt`.
 */
export function livingGradients(what: string, of: Value, wrt: readonly Value[]): Value[] {
  const { cotangents, ends } = reverseSweep([{ of, cotangent: ones(of) }], wrt);
  if (cotangents.every((g) => g === undefined))
    throw new ZeroGradientError(
      [what],
      wrt.map((v) => v.name),
      ends,
    );
  return cotangents.map((g, i) => g ?? zerosLike(wrt[i]!));
}

/**
 * Gradients of `Σ ⟨cotangent, of⟩` with respect to each value of `wrt`; zeros where nothing differentiable leads there.
 *
 * Gradients of float16 values are computed in float32, from the first cotangent to a last cast: float16 has no kernels for much of what a
 * gradient needs (ScatterElements with "add"), and small gradients would vanish in it. What is added to the graph is marked (`Node.sweep`).
 *
 * @throws NotDifferentiableError, GraphError (a cotangent whose shape is not that of its value).
 */
export function vectorJacobianProduct(
  seeds: readonly Seed[],
  wrt: readonly Value[],
  options: Partial<GradientOptions> = {},
): Value[] {
  return reverseSweep(seeds, wrt, options).cotangents.map((g, i) => g ?? zerosLike(wrt[i]!));
}

/** What the reverse sweep finds. */
export interface Sweep {
  /** One for each value of `wrt`; undefined where nothing differentiable leads from it to a seed, so that its gradient is 0 everywhere. */
  readonly cotangents: readonly (Value | undefined)[];
  /** Values that depend on `wrt` in a differentiable way. */
  readonly active: ReadonlySet<Value>;
  /** What ends ways from `wrt` to a seed. */
  readonly ends: Ends;
}

/** The reverse sweep itself. See `vectorJacobianProduct`. */
export function reverseSweep(seeds: readonly Seed[], wrt: readonly Value[], options: Partial<GradientOptions> = {}): Sweep {
  for (const { of } of seeds)
    if (!isFloat(of.type)) throw new GraphError(`"${of.name}" is ${describe(of)}; only floating-point values have gradients.`);
  for (const x of wrt)
    if (!isFloat(x.type))
      throw new GraphError(`"${x.name}" is ${describe(x)}; gradients exist with respect to floating-point values only.`);
  return reverseSweepOfNumbers(seeds, wrt, options);
}

/** The same where integers among the values stand for real numbers (quantized ones), as they do inside a branch: their cotangents are floating-point. */
export function reverseSweepOfNumbers(
  seeds: readonly Seed[],
  wrt: readonly Value[],
  options: Partial<GradientOptions> = {},
): Sweep {
  for (const { of, cotangent } of seeds) {
    if (!sameShape(of.shape, cotangent.shape))
      throw new GraphError(`The cotangent of "${of.name}" is ${describe(cotangent)} instead of ${describe(of)}.`);
  }
  const first = seeds[0]?.of ?? wrt[0];
  if (!first) return { cotangents: [], active: new Set(), ends: { nodes: [], lastValues: [] } };
  return first.graph.during("reverse", () => sweep(seeds, wrt, { ...defaults, ...options }));
}

function sweep(seeds: readonly Seed[], wrt: readonly Value[], options: GradientOptions): Sweep {
  const order = [...neededNodes(seeds.map((s) => s.of))];
  const { active, ends } = activeValues(order, wrt);

  const collected = new Map<Value, Value>();
  const addTo = (sums: Map<Value, Value>, v: Value, cotangent: Value): void => {
    if (!sameShape(cotangent.shape, v.shape) || !isFloat(cotangent.type))
      throw new GraphError(`Gradient rule of ${v.node ? nodeLabel(v.node) : v.name}: cotangent ${describe(cotangent)} for ${v}.`);
    const known = sums.get(v) ?? collected.get(v);
    const g = cast(cotangent, known?.type ?? (isFloat(v.type) ? gradientType(v.type) : cotangent.type));
    const sum = sums.get(v);
    sums.set(v, sum ? add(sum, g) : g);
  };
  for (const { of, cotangent } of seeds) if (active.has(of)) addTo(collected, of, cotangent);

  const obstacles: Obstacle[] = [];
  for (const node of order.toReversed()) {
    const cotangents = node.outputs.map((v) => collected.get(v));
    const type = cotangents.find((g) => g !== undefined)?.type;
    const wanted = node.inputs.map((v) => v !== undefined && active.has(v));
    if (type === undefined || !wanted.some(Boolean)) continue;
    const passed = applyRule(node, cotangents, wanted, options);
    if (typeof passed === "string") obstacles.unshift({ node, because: passed });
    else if (passed.every((g) => g === undefined)) ends.push({ node, because: "its derivative is 0 wherever it exists" });
    // What a node reads twice, as x · x does, gets its own sum first: equal terms are twice one term.
    const own = new Map<Value, Value>();
    node.inputs.forEach((v, i) => {
      if (!wanted[i]) return;
      // behind an obstacle the sweep goes on with any cotangent at all, so that those before it are found too
      const g = typeof passed === "string" ? expand(scalar(v!.graph, 0, isFloat(v!.type) ? v!.type : type), v!.shape) : passed[i];
      if (g) addTo(own, v!, g);
    });
    for (const [v, g] of own) addTo(collected, v, g);
  }
  if (obstacles.length > 0) throw new NotDifferentiableError(obstacles, lastValuesBefore(obstacles, order, active, wrt));
  const gradientOf = (x: Value): Value | undefined => {
    const g = collected.get(x);
    return g && (isFloat(x.type) ? cast(g, x.type) : g);
  };
  return {
    cotangents: wrt.map(gradientOf),
    active,
    ends: { nodes: ends, lastValues: lastValuesBefore(ends, order, active, wrt) },
  };
}

/**
 * Whether anything differentiable leads from `wrt` to a value of any type, and what ends the ways there: a decision (ArgMax) is an integer, or
 * one cast to a floating-point number.
 *
 * @example const { reached, ends } = waysTo([mask], [image]);
 */
export function waysTo(of: readonly Value[], wrt: readonly Value[]): { readonly reached: boolean; readonly ends: Ends } {
  const order = neededNodes(of);
  const { active, ends } = activeValues(order, wrt);
  return {
    reached: of.some((v) => active.has(v)),
    ends: { nodes: ends, lastValues: lastValuesBefore(ends, order, active, wrt) },
  };
}

/**
 * Values that depend on `wrt` through something that carries a gradient: floating-point numbers, and integers that stand for such (quantized
 * ones). Other integers (positions, shapes, what a cast cut off) and booleans depend on nothing in a differentiable way.
 */
function activeValues(order: Iterable<Node>, wrt: readonly Value[]): { active: Set<Value>; ends: Obstacle[] } {
  const active = new Set(wrt);
  const ends: Obstacle[] = [];
  for (const node of order) {
    const { operator, outputs } = node;
    const sources = node.inputs.filter((v): v is Value => v !== undefined && active.has(v));
    if (sources.length === 0) continue;
    const rule = operator.gradient;
    if (typeof rule !== "function" && rule.kind === "zero") {
      // a marker is no part of the model
      if (operator.domain !== "faultline") ends.push({ node, because: rule.because });
      continue;
    }
    const quantized = sources.some((v) => !isFloat(v.type));
    const carries = (v: Value, i: number): boolean => {
      if (isFloat(v.type) || v.type === "bool") return v.type !== "bool";
      const meaning = operator.integers?.[operator.outputs[i] ?? ""];
      return meaning === undefined ? quantized : meaning === "numbers";
    };
    const carrying = outputs.filter(carries);
    for (const v of carrying) active.add(v);
    if (carrying.length === 0) ends.push({ node, because: "its results are integers that stand for no real numbers" });
  }
  return { active, ends };
}

/** Cotangents for the node's inputs, or the reason for which there are none. */
function applyRule(
  node: Node,
  cotangents: readonly (Value | undefined)[],
  wanted: readonly boolean[],
  options: GradientOptions,
): readonly (Value | undefined)[] | string {
  const rule: GradientRule | { readonly because: string } = node.operator.gradient;
  if (typeof rule !== "function") return rule.because;
  const fail = (message: string): never => {
    throw new RuleFailure(`${message} (inputs: ${node.inputs.map((v) => (v ? describe(v) : "none")).join(", ")})`);
  };
  // What has no elements neither passes anything nor needs any: many kernels have no answer to it.
  const isEmpty = (v: Value | undefined) => v === undefined || sizeOf(v.shape) === 0;
  if (cotangents.every(isEmpty)) return node.inputs.map((v, i) => (wanted[i] ? zeroCotangent(v!, cotangents) : undefined));
  const { inputs, outputs } = operandsOf(node, cotangents, wanted);
  try {
    const passed = rule({ inputs, outputs, attributes: node.attributes, wanted, options, fail }, cotangents);
    return passed.map((g, i) => (g && sizeOf(g.shape) === 0 ? zeroCotangent(node.inputs[i]!, cotangents) : g));
  } catch (error) {
    if (error instanceof RuleFailure) return error.message;
    // tables longer than an array may be
    if (error instanceof RangeError) return `its gradient cannot be built at such sizes: ${error.message}`;
    throw error;
  }
}

/** In the type of the value, or of the cotangents where it is an integer that stands for a real number. */
function zeroCotangent(v: Value, cotangents: readonly (Value | undefined)[]): Value {
  const type = isFloat(v.type) ? gradientType(v.type) : cotangents.find((g) => g !== undefined)!.type;
  return expand(scalar(v.graph, 0, type), v.shape);
}

/** A rule says that it has no gradient for a node as this one. */
class RuleFailure extends Error {}

function ones(v: Value): Value {
  return expand(scalar(v.graph, 1, v.type), v.shape);
}
