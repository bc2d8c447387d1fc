import type { Value } from "../graph/graph.js";
import { nodeTitle } from "../onnx/check.js";
import { type Attribute, ModelError, type OnnxGraph, type OnnxNode } from "../onnx/model.js";
import { tensor } from "../tensor/tensor.js";
import { addGraph } from "./simplify.js";
import { Scope, type StaticGraph } from "./static-graph.js";

/** The outputs of an If whose condition is constant: those of the branch taken. Undefined where it is decided at run time. */
export async function inlineIf(into: StaticGraph, node: OnnxNode, scope: Scope): Promise<readonly Value[] | undefined> {
  const condition = await into.tensorOf(scope.find(node.inputs[0]!));
  if (!condition) return undefined;
  const branch = new Scope(subgraph(node, Number(condition.data[0]) !== 0 ? "then_branch" : "else_branch"), scope);
  await addGraph(into, branch);
  return branch.graph.outputs.map(({ name }) => branch.find(name));
}

/**
 * The outputs of a Loop, unrolled. Undefined where the trip count or the condition is known at run time only. Scanned outputs are stacked
 * along a new first axis.
 *
 * @throws ModelError when the loop runs so often that the graph would become too large.
 */
export async function unrollLoop(into: StaticGraph, node: OnnxNode, scope: Scope): Promise<readonly Value[] | undefined> {
  const operand = (i: number): Value | undefined => (node.inputs[i] ? scope.find(node.inputs[i]) : undefined);
  const body = subgraph(node, "body");
  const [count, first] = [operand(0), operand(1)];
  const trips = count ? Number((await into.tensorOf(count))?.data[0] ?? Number.NaN) : Number.POSITIVE_INFINITY;
  let running = first ? (await into.tensorOf(first))?.data[0] : 1;
  if (Number.isNaN(trips) || running === undefined) return undefined;
  let state = node.inputs.slice(2).map((name) => scope.find(name));
  const scanned: Value[][] = Array.from({ length: body.outputs.length - 1 - state.length }, () => []);
  for (let trip = 0; trip < trips && running; trip++) {
    into.count(node);
    const inner = new Scope(body, scope);
    const feeds = [into.constant(tensor("int64", [], [trip])), into.constant(tensor("bool", [], [1])), ...state];
    body.inputs.forEach(({ name }, i) => {
      inner.values.set(name, feeds[i]!);
    });
    await addGraph(into, inner);
    const [condition, ...results] = body.outputs.map(({ name }) => inner.find(name));
    running = (await into.tensorOf(condition!))?.data[0];
    if (running === undefined) return undefined;
    state = results.slice(0, state.length);
    for (const [i, v] of results.slice(state.length).entries()) scanned[i]!.push(v);
  }
  if (scanned.some((values) => values.length === 0)) return undefined;
  const stacked = await Promise.all(scanned.map((values, i) => stack(into, values, 0, node.outputs[state.length + i] ?? "")));
  return [...state, ...stacked];
}

/** The outputs of a Scan, unrolled along its scanned axes. */
export async function unrollScan(into: StaticGraph, node: OnnxNode, scope: Scope): Promise<readonly Value[] | undefined> {
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
  if (trips === 0) return undefined;
  const scanned: Value[][] = Array.from({ length: body.outputs.length - state.length }, () => []);
  for (let trip = 0; trip < trips; trip++) {
    into.count(node);
    const inner = new Scope(body, scope);
    const entries: Value[] = [];
    for (const { value, axis, backwards } of sequences) {
      const place = into.constant(tensor("int64", [], [backwards ? trips - 1 - trip : trip]));
      entries.push(await emit(into, "Gather", [value, place], { axis: { kind: "int", value: axis } }, value.name));
    }
    body.inputs.forEach(({ name }, i) => {
      inner.values.set(name, [...state, ...entries][i]!);
    });
    await addGraph(into, inner);
    const results = body.outputs.map(({ name }) => inner.find(name));
    state = results.slice(0, state.length);
    for (const [i, v] of results.slice(state.length).entries()) scanned[i]!.push(v);
  }
  const stacked: Value[] = [];
  for (const [i, values] of scanned.entries()) {
    const axis = numbers("scan_output_axes")[i] ?? 0;
    const ordered = numbers("scan_output_directions")[i] === 1 ? values.reverse() : values;
    stacked.push(await stack(into, ordered, axis, node.outputs[state.length + i] ?? ""));
  }
  return [...state, ...stacked];
}

async function stack(into: StaticGraph, values: readonly Value[], axis: number, name: string): Promise<Value> {
  const axes = into.constant(tensor("int64", [1], [axis]));
  const rows: Value[] = [];
  for (const v of values) rows.push(await emit(into, "Unsqueeze", [v, axes], {}, `${name || "scan"}_row`));
  return emit(into, "Concat", rows, { axis: { kind: "int", value: axis } }, name || "scan");
}

async function emit(
  into: StaticGraph,
  op: string,
  inputs: readonly Value[],
  attributes: OnnxNode["attributes"],
  name: string,
): Promise<Value> {
  const node = { name: "", op, domain: "", inputs: inputs.map((v) => v.name), outputs: [name], attributes };
  return (await into.addNode(node, inputs))[0]!;
}

function subgraph(node: OnnxNode, name: string): OnnxGraph {
  const attribute = node.attributes[name];
  if (attribute?.kind !== "graph") throw new ModelError(`${nodeTitle(node)} lacks its ${name}; export the model again.`);
  return attribute.value;
}
