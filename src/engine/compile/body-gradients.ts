import { reverseSweepOfNumbers } from "../autodiff/gradients.js";
import { NotDifferentiableError } from "../autodiff/obstacles.js";
import { embed } from "../graph/embed.js";
import { Graph, type Value, type ValueType } from "../graph/graph.js";
import { type GradientContext, type GradientOptions, type GradientRule, nodeAs, opaqueOperator } from "../graph/operator.js";
import { add } from "../operators/elementwise/add.js";
import { Cast, cast } from "../operators/elementwise/cast.js";
import { sub } from "../operators/elementwise/sub.js";
import { gather } from "../operators/indexing/gather.js";
import { identity } from "../operators/layout/identity.js";
import { zerosLike } from "../operators/zeros.js";
import { type DataType, describe, gradientType, isFloat, sameShape, tensor } from "../tensor/tensor.js";

/**
 * Gradients of branches and loops that are decided when the model runs: an If of the gradients of its branches, and a Loop backwards. By the
 * operator's name in the file.
 *
 * @param captures the names by which the bodies read the node's last inputs.
 */
export const bodyGradients: ReadonlyMap<string, (captures: readonly string[]) => GradientRule> = new Map([
  ["If", ifGradient],
  ["Loop", loopGradient],
]);

/** A node whose bodies Faultline has made. */
function withBodies(
  name: string,
  inputs: readonly (Value | undefined)[],
  captured: ReadonlyMap<string, Value>,
  bodies: Readonly<Record<string, Graph>>,
  types: readonly ValueType[],
): readonly Value[] {
  const captures = [...captured.keys()];
  const attributes = Object.fromEntries(Object.keys(bodies).map((body) => [body, { kind: "graph" as const }]));
  const opaque = opaqueOperator({ name, domain: "", attributes, types });
  const operator = { ...opaque, gradient: bodyGradients.get(name)!(captures) };
  const all = [...inputs, ...captured.values()];
  return all.find((v) => v !== undefined)!.graph.add(operator, all, bodies, { captures, outputCount: types.length });
}

/** With y = c ? f(x) : g(x), dx = c ? Jfᵀ dy : Jgᵀ dy; only the branch taken is computed. */
function ifGradient(captures: readonly string[]): GradientRule {
  return ({ inputs, attributes, wanted, options, fail }, cotangents) => {
    const [condition, ...outside] = inputs as readonly [Value, ...Value[]];
    const branches = [bodyOf(attributes, "then_branch", fail), bodyOf(attributes, "else_branch", fail)] as const;
    const [a, b] = branches.map((branch) => [...branch.outputs.values()]);
    for (const i of cotangents.keys())
      if (cotangents[i] && !sameShape(a![i]!.shape, b![i]!.shape))
        fail(
          `its branches make ${describe(a![i]!)} and ${describe(b![i]!)}, and which is taken is known at run time only; export the model with the condition fixed`,
        );
    const captured = new Map(captures.map((name, i) => [name, inTypeOf(outside[i]!, name, branches)] as const));
    const wrt = captures.filter((_, i) => wanted[i + 1]);
    const given = new Map<string, Value>();
    const names = cotangents.map((g, i) => {
      if (!g) return undefined;
      const name = unused(`cotangent ${i}`, branches);
      given.set(name, g);
      return name;
    });
    const real = realType(cotangents);
    const types = wrt.map((name) => cotangentType(captured.get(name)!, real));
    const backward = (branch: Graph): Graph => {
      const graph = graphLike(branch);
      const feeds = inputsOf(graph, branch);
      const seeds = names.map((name) => {
        const g = name === undefined ? undefined : given.get(name);
        return g && graph.input(name!, g.type, g.shape);
      });
      const passed = pullBack(graph, branch, feeds, seeds, wrt, options, fail);
      types.forEach((type, i) => {
        const own = passed[i];
        // the sweep inside hands float16 back as float16
        graph.output(graph.names.fresh(`d ${i}`), own ? cast(own, type.type) : zeros(graph, type));
      });
      return graph;
    };
    const bodies = { then_branch: backward(branches[0]), else_branch: backward(branches[1]) };
    const results = withBodies("If", [condition], new Map([...captured, ...given]), bodies, types);
    return [undefined, ...captures.map((name) => (wrt.includes(name) ? results[wrt.indexOf(name)] : undefined))];
  };
}

/**
 * A loop s ← f(i, s, x) that ends when it ends: its turns are counted first, and taken back one after the other, ds ← Jfᵀ ds and dx ← dx + Jfᵀ ds
 * at the state of that turn; the cotangent of what is stacked comes in turn by turn. The state is computed again from the start, for how many there are is
 * not known beforehand: n turns cost n² / 2.
 */
function loopGradient(captures: readonly string[]): GradientRule {
  return ({ inputs, attributes, wanted, options, fail }, cotangents) => {
    const body = bodyOf(attributes, "body", fail);
    const operands = inputs.slice(0, inputs.length - captures.length);
    const [limit, first, ...given] = operands;
    const formals = body.inputs.slice(0, operands.length);
    const states = given.map((v, i) => narrowed(v!, formals[i + 2]!.type));
    const outside = new Map(captures.map((name, i) => [name, inTypeOf(inputs[operands.length + i]!, name, [body])] as const));
    // integers that stand for real numbers as well
    const floats = states.flatMap((v, i) => (isFloat(v.type) || wanted[i + 2] || cotangents[i] ? [i] : []));
    const wrt = captures.filter((_, i) => wanted[operands.length + i]);
    const turns = countTurns(body, outside, [limit, first, ...states]);

    // the body of the loop backwards: turn, condition, cotangents of the states, gradients of what is captured; outside: count, first states, captures
    const graph = graphLike(body);
    const turn = graph.input(unused("turn", [body]), "int64", []);
    const going = graph.input(unused("going", [body]), "bool", []);
    const real = realType(cotangents);
    const types = [...states.filter((_, i) => floats.includes(i)), ...wrt.map((name) => outside.get(name)!)].map((v) =>
      cotangentType(v, real),
    );
    const sums = types.map((type, i) => graph.input(unused(`sum ${i}`, [body]), type.type, type.shape));
    const count = graph.input(unused("count", [body]), "int64", []);
    const starts = states.map((v, i) => graph.input(unused(`start ${i}`, [body]), v.type, v.shape));
    const read = new Map([...outside].map(([name, v]) => [name, graph.input(name, v.type, v.shape)] as const));
    const before = sub(sub(count, turn), 1);
    // of what it stacks, a turn has its own entry
    const stacked = cotangents
      .slice(states.length)
      .map((g, i) => g && graph.input(unused(`stacked ${i}`, [body]), g.type, g.shape));
    const at = statesAfter(body, read, before, starts);
    const feeds = new Map([
      ...read,
      ...formals.map((v, i) => [v.name, i === 0 ? before : i === 1 ? going : at[i - 2]!] as const),
    ]);
    const seeds = [
      undefined,
      ...states.map((_, i) => (floats.includes(i) ? sums[floats.indexOf(i)] : undefined)),
      ...stacked.map((g) => g && gather(g, before)),
    ];
    const names = [...floats.map((i) => formals[i + 2]!.name), ...wrt];
    const passed = pullBack(graph, body, feeds, seeds, names, options, fail);
    graph.output(graph.names.fresh("still"), identity(going));
    types.forEach((type, i) => {
      const own = passed[i];
      const summand = own && cast(own, type.type);
      // a state hands its cotangent on; what is captured is read in every turn
      const next = i < floats.length ? (summand ?? zeros(graph, type)) : summand ? add(sums[i]!, summand) : identity(sums[i]!);
      graph.output(graph.names.fresh(`next ${i}`), next);
    });

    const initial = types.map((type, i) => {
      const g = i < floats.length ? cotangents[floats[i]!] : undefined;
      return g ? cast(g, type.type) : zeros(turns.graph, type);
    });
    const captured = new Map([
      [count.name, turns] as const,
      ...starts.map((v, i) => [v.name, states[i]!] as const),
      ...stacked.flatMap((v, i) => (v ? [[v.name, cotangents[states.length + i]!] as const] : [])),
      ...outside,
    ]);
    const yes = turns.graph.constant(tensor("bool", [], [1]));
    const results = withBodies("Loop", [turns, yes, ...initial], captured, { body: graph }, types);
    const ofState = (i: number) => (floats.includes(i) && wanted[i + 2] ? results[floats.indexOf(i)] : undefined);
    const ofCapture = (name: string) => (wrt.includes(name) ? results[floats.length + wrt.indexOf(name)] : undefined);
    return [undefined, undefined, ...states.map((_, i) => ofState(i)), ...captures.map(ofCapture)];
  };
}

/** How often a loop turns: the same loop with a counter as one more state. */
function countTurns(body: Graph, captured: ReadonlyMap<string, Value>, operands: readonly (Value | undefined)[]): Value {
  const graph = graphLike(body);
  const feeds = inputsOf(graph, body);
  const counter = graph.input(unused("counter", [body]), "int64", []);
  const inner = embedded(graph, body, feeds).slice(0, operands.length - 1);
  for (const v of inner) graph.output(graph.names.fresh("out"), v);
  graph.output(graph.names.fresh("counted"), add(counter, 1));
  const outer = (operands.find((v) => v !== undefined) ?? [...captured.values()][0])!.graph;
  const zero = outer.constant(tensor("int64", [], [0]));
  const states = operands.slice(2) as readonly Value[];
  const types = [...states, zero].map(({ type, shape }) => ({ type, shape }));
  return withBodies("Loop", [...operands, zero], captured, { body: graph }, types).at(-1)!;
}

/** The states after so many turns, whatever the loop's own condition says. */
function statesAfter(
  body: Graph,
  captured: ReadonlyMap<string, Value>,
  turns: Value,
  starts: readonly Value[],
): readonly Value[] {
  const graph = graphLike(body);
  const feeds = inputsOf(graph, body);
  const [, ...next] = embedded(graph, body, feeds);
  graph.output(graph.names.fresh("still"), identity(feeds.get(body.inputs[1]!.name)!));
  for (const v of next.slice(0, starts.length)) graph.output(graph.names.fresh("out"), v);
  const yes = turns.graph.constant(tensor("bool", [], [1]));
  const types = starts.map(({ type, shape }) => ({ type, shape }));
  return withBodies("Loop", [turns, yes, ...starts], captured, { body: graph }, types);
}

/** Cotangents of the body's inputs of the given names, from those of its outputs; undefined where nothing differentiable leads there. */
function pullBack(
  graph: Graph,
  body: Graph,
  feeds: ReadonlyMap<string, Value>,
  seeds: readonly (Value | undefined)[],
  names: readonly string[],
  options: GradientOptions,
  fail: GradientContext["fail"],
): readonly (Value | undefined)[] {
  // Copies, so that a value that is handed in twice has two gradients.
  const copied = new Set(names);
  const own = new Map([...feeds].map(([name, v]) => [name, copied.has(name) ? identity(v) : v] as const));
  const outputs = embedded(graph, body, own);
  const known = names.map((name) => own.get(name));
  const wrt = known.filter((v) => v !== undefined);
  const of = outputs.flatMap((v, i) => (seeds[i] ? [{ of: v, cotangent: seeds[i] }] : []));
  try {
    const { cotangents } = reverseSweepOfNumbers(of, wrt, options);
    return known.map((v) => v && cotangents[wrt.indexOf(v)]);
  } catch (error) {
    if (error instanceof NotDifferentiableError) return fail(`inside it, ${error.message}`);
    throw error;
  }
}

/** The body's outputs, in their order. */
function embedded(graph: Graph, body: Graph, feeds: ReadonlyMap<string, Value>): readonly Value[] {
  const inputs = Object.fromEntries(body.inputs.map(({ name }) => [name, feeds.get(name)!]));
  const { outputs } = embed(graph, body, inputs);
  return [...body.outputs.keys()].map((name) => outputs[name]!);
}

/** An empty graph in which the body's names stay free for it. */
function graphLike(body: Graph): Graph {
  const graph = new Graph();
  for (const name of [...body.values.keys(), ...body.outputs.keys()]) graph.names.reserve(name);
  return graph;
}

const inputsOf = (graph: Graph, body: Graph): Map<string, Value> =>
  new Map(body.inputs.map((v) => [v.name, graph.input(v.name, v.type, v.shape)] as const));

function bodyOf(attributes: GradientContext["attributes"], name: string, fail: GradientContext["fail"]): Graph {
  const body = attributes[name];
  return body instanceof Graph ? body : fail("the types in its body depend on data");
}

/** A value in the type in which a body reads it: the sweep sees float16 as float32. */
function inTypeOf(v: Value, name: string, bodies: readonly Graph[]): Value {
  const formal = bodies.flatMap((body) => body.inputs).find((input) => input.name === name);
  return formal ? narrowed(v, formal.type) : v;
}

/**
 * A value as it was before the sweep widened it. ONNX Runtime 1.30 takes a cast there and back out of a graph without a look into its bodies, which then
 * lack what they read.
 */
function narrowed(v: Value, type: DataType): Value {
  const before = nodeAs(Cast, v)?.inputs[0];
  return before?.type === type && v.type === gradientType(type) ? before : cast(v, type);
}

function unused(name: string, bodies: readonly Graph[]): string {
  let free = name;
  for (let i = 1; bodies.some((body) => body.values.has(free) || body.outputs.has(free)); i++) free = `${name}.${i}`;
  return free;
}

/** The type of the cotangents that a node is given. */
const realType = (cotangents: readonly (Value | undefined)[]): DataType => cotangents.find((g) => g !== undefined)!.type;

/** @param real the type of cotangents of integers that stand for real numbers. */
const cotangentType = ({ type, shape }: ValueType, real: DataType): ValueType => ({
  type: isFloat(type) ? gradientType(type) : real,
  shape,
});

const zeros = (graph: Graph, { type, shape }: ValueType): Value => zerosLike(graph.constant(tensor(type, [], [0])), shape);
