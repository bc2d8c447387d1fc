import type { Value } from "../graph/graph.js";
import { nodeTitle } from "../onnx/check.js";
import { type Attribute, ModelError, type OnnxGraph, type OnnxNode } from "../onnx/model.js";
import { gather } from "../operators/indexing/gather.js";
import { concat } from "../operators/layout/concat.js";
import { unsqueeze } from "../operators/layout/unsqueeze.js";
import { type DataType, type Tensor, tensor } from "../tensor/tensor.js";
import { importBodies } from "./bodies.js";
import type { Importer } from "./importer.js";
import { UnknownShapeError } from "./known-part.js";
import { Scope } from "./scope.js";

/** A value, or a list of tensors (see `followLists`). */
type Entry = Value | readonly Value[];

/** Unfolds a node with subgraphs and gives its outputs. Undefined where what happens is decided at run time. */
type Unfold = (into: Importer, node: OnnxNode, scope: Scope) => Promise<readonly Entry[] | undefined>;

/** The operators of ONNX that hold graphs. */
export const controlFlow: ReadonlyMap<string, Unfold> = new Map([
  ["If", inlineIf],
  ["Loop", unrollLoop],
  ["Scan", unrollScan],
]);

/** The outputs of an If whose condition is constant: those of the branch taken. */
async function inlineIf(into: Importer, node: OnnxNode, scope: Scope): Promise<readonly Entry[] | undefined> {
  const condition = await into.constants.tensorOf(scope.find(node.inputs[0]!));
  if (!condition) return undefined;
  const branch = new Scope(subgraph(node, Number(condition.data[0]) !== 0 ? "then_branch" : "else_branch"), scope);
  await into.addGraph(branch);
  return branch.graph.outputs.map(({ name }) => branch.entry(name));
}

/**
 * The outputs of a Loop, unrolled, where trip count and condition are constant. Scanned outputs are stacked along a new first axis.
 *
 * @throws ModelError when the loop runs so often that the graph would become too large.
 */
async function unrollLoop(into: Importer, node: OnnxNode, scope: Scope): Promise<readonly Entry[] | undefined> {
  const operand = (i: number): Value | undefined => (node.inputs[i] ? scope.find(node.inputs[i]) : undefined);
  const body = subgraph(node, "body");
  const [count, first] = [operand(0), operand(1)];
  const trips = count ? Number((await into.constants.tensorOf(count))?.data[0] ?? Number.NaN) : Number.POSITIVE_INFINITY;
  let running = first ? (await into.constants.tensorOf(first))?.data[0] : 1;
  if (Number.isNaN(trips) || running === undefined) return undefined;
  let state = node.inputs.slice(2).map((name) => scope.entry(name));
  const scanned: Value[][] = Array.from({ length: body.outputs.length - 1 - state.length }, () => []);
  for (let trip = 0; trip < trips && running; trip++) {
    into.count(node);
    const inner = new Scope(body, scope);
    const feeds = [scalar(into, "int64", trip), scalar(into, "bool", 1), ...state];
    body.inputs.forEach(({ name }, i) => {
      inner.define(name, feeds[i]!);
    });
    await into.addGraph(inner);
    const [condition, ...results] = body.outputs.map(({ name }) => name);
    running = (await into.constants.tensorOf(inner.find(condition!)))?.data[0];
    if (running === undefined) return undefined;
    for (const [i, name] of results.slice(state.length).entries()) scanned[i]!.push(inner.find(name));
    state = results.slice(0, state.length).map((name) => inner.entry(name));
  }
  if (scanned.some((values) => values.length === 0))
    return [...state, ...(await noEntries(into, node, scope, state.length, () => 0))];
  return [...state, ...scanned.map((values) => stack(values, 0))];
}

/** The outputs of a Scan, unrolled along its scanned axes. */
async function unrollScan(into: Importer, node: OnnxNode, scope: Scope): Promise<readonly Value[] | undefined> {
  if (into.model.opset < 9)
    throw new ModelError(
      `${nodeTitle(node)} of opset ${into.model.opset} scans a batch, which opset 9 and above do not; export the model again.`,
    );
  const body = subgraph(node, "body");
  const numbers = (name: string): readonly number[] =>
    (node.attributes[name] as Extract<Attribute, { kind: "ints" }> | undefined)?.value ?? [];
  const scannedInputs = node.attributes.num_scan_inputs?.value as number;
  const operands = node.inputs.map((name) => scope.find(name));
  let state = operands.slice(0, operands.length - scannedInputs);
  const sequences = operands.slice(state.length).map((value, i) => {
    const axis = numbers("scan_input_axes")[i] ?? 0;
    return { value, axis: axis < 0 ? axis + value.shape.length : axis, backwards: numbers("scan_input_directions")[i] === 1 };
  });
  const trips = sequences[0]?.value.shape[sequences[0].axis] ?? 0;
  const axisOf = (i: number) => numbers("scan_output_axes")[i] ?? 0;
  if (trips === 0) return [...state, ...(await noEntries(into, node, scope, state.length, axisOf))];
  const scanned: Value[][] = Array.from({ length: body.outputs.length - state.length }, () => []);
  for (let trip = 0; trip < trips; trip++) {
    into.count(node);
    const inner = new Scope(body, scope);
    const entries = sequences.map(({ value, axis, backwards }) =>
      gather(value, scalar(into, "int64", backwards ? trips - 1 - trip : trip), axis),
    );
    body.inputs.forEach(({ name }, i) => {
      inner.values.set(name, [...state, ...entries][i]!);
    });
    await into.addGraph(inner);
    const results = body.outputs.map(({ name }) => inner.find(name));
    state = results.slice(0, state.length);
    for (const [i, v] of results.slice(state.length).entries()) scanned[i]!.push(v);
  }
  const stacked = scanned.map((values, i) => {
    const ordered = numbers("scan_output_directions")[i] === 1 ? values.reverse() : values;
    return stack(ordered, axisOf(i));
  });
  return [...state, ...stacked];
}

/** What a loop stacks that does not turn: nothing, in entries of the type that its body tells. */
async function noEntries(
  into: Importer,
  node: OnnxNode,
  scope: Scope,
  states: number,
  axisOf: (i: number) => number,
): Promise<Value[]> {
  const operands = node.inputs.map((name) => (name === "" ? undefined : scope.find(name)));
  const { outputs } = await importBodies(into, node, scope, operands);
  return outputs.slice(states).map((told, i) => {
    const entry = "because" in told ? told.entry : undefined;
    if (!entry)
      throw new UnknownShapeError(`${nodeTitle(node)}: it does not turn, and what its entries would be depends on data.`);
    const axis = axisOf(i) < 0 ? axisOf(i) + entry.shape.length + 1 : axisOf(i);
    return into.graph.constant(tensor(entry.type, entry.shape.toSpliced(axis, 0, 0)));
  });
}

const stack = (values: readonly Value[], axis: number): Value =>
  concat(
    values.map((v) => unsqueeze(v, [axis])),
    axis,
  );

const scalar = (into: Importer, type: DataType, value: number): Value => into.graph.constant(tensor(type, [], [value]) as Tensor);

function subgraph(node: OnnxNode, name: string): OnnxGraph {
  const attribute = node.attributes[name];
  if (attribute?.kind !== "graph") throw new ModelError(`${nodeTitle(node)} lacks its ${name}; export the model again.`);
  return attribute.value;
}
