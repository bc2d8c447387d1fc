import type { Value } from "../graph/graph.js";
import { ModelError, type OnnxModel, type OnnxNode, type ValueInfo } from "../onnx/model.js";
import type { Shape, Tensor } from "../tensor/tensor.js";
import { addGraph } from "./simplify.js";
import { type Evaluate, Scope, StaticGraph } from "./static-graph.js";

export type { Evaluate } from "./static-graph.js";

export interface SpecialiseOptions {
  /**
   * "nothing" (default) folds every constant subgraph. "weights" leaves in place what is computed from weights (float
   * initializers of the file), so that gradients with respect to them remain possible.
   */
  readonly keep?: "nothing" | "weights";
}

/**
 * Fixes a model to given input shapes: every value gets a static type, constant subgraphs are evaluated by ONNX Runtime, Shape and Size
 * become constants, Identity, Dropout and idle casts and reshapes go, If with a constant condition is inlined, Loop and Scan of constant
 * length are unrolled, equal nodes are shared, and what nothing uses is dropped. Names of values that remain are those of the file;
 * inputs and outputs stay as they are.
 *
 * @param shapes a shape for each input that has symbolic axes; others may be given too and must fit.
 * @param evaluate runs a model without inputs. It is called a few times, with as much to compute as is known to be needed.
 * @throws ModelError naming every symbolic axis that is not given, a shape that does not fit, or a node whose output shapes depend on data.
 * @example
 * const fixed = await specialise(parseModel(bytes), { x: [1, 3, 224, 224] }, evaluate);
 */
export async function specialise(
  model: OnnxModel,
  shapes: Readonly<Record<string, Shape>>,
  evaluate: Evaluate,
  options: SpecialiseOptions = {},
): Promise<OnnxModel> {
  const { inputs, axes } = fixInputs(model, shapes);
  const statics = new StaticGraph(model, evaluate, axes, options.keep ?? "nothing");
  const scope = new Scope(model.graph);
  for (const { name, type, shape } of inputs) scope.values.set(name, statics.input(name, { type, shape }));
  await addGraph(statics, scope);
  const outputs = model.graph.outputs.map(({ name }) => ({ name, value: scope.find(name) }));
  await foldConstants(statics, outputs);
  return write(statics, inputs, outputs);
}

// ---- inputs ----------------------------------------------------------------------------------------------------------------------

interface FixedInput extends ValueInfo {
  readonly shape: Shape;
}

function fixInputs(
  model: OnnxModel,
  shapes: Readonly<Record<string, Shape>>,
): { inputs: FixedInput[]; axes: ReadonlyMap<string, number> } {
  // a name that is an initializer too is a constant with a default, not an input
  const inputs = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  const names = inputs.map(({ name }) => name);
  for (const [name, shape] of Object.entries(shapes)) {
    if (!names.includes(name))
      throw new ModelError(
        `The model has no input "${name}" to give the shape ${written(shape)}; its inputs are ${names.join(", ") || "none"}.`,
      );
    const bad = shape.find((d) => !Number.isSafeInteger(d) || d < 0);
    if (bad !== undefined) throw new ModelError(`Shape ${written(shape)} of input "${name}": ${bad} is no size of an axis.`);
  }
  const axes = new Map<string, number>();
  for (const { name, shape } of inputs) {
    const given = shapes[name];
    if (!given || !shape) continue;
    const fits = given.length === shape.length && shape.every((d, i) => typeof d === "string" || d === given[i]);
    if (!fits)
      throw new ModelError(`Input "${name}" of the model is ${declared(shape)}; the given shape ${written(given)} does not fit.`);
    shape.forEach((d, i) => {
      if (typeof d === "string" && d !== "" && !axes.has(d)) axes.set(d, given[i]!);
    });
  }
  const missing: string[] = [];
  const flags: string[] = [];
  const fixed = inputs.map((input): FixedInput => {
    const given = shapes[input.name] ?? input.shape?.map((d) => (typeof d === "number" ? d : axes.get(d)));
    if (given?.every((d) => d !== undefined)) return { ...input, shape: given };
    const open = input.shape?.flatMap((d, i) => (given?.[i] === undefined ? [d === "" ? `axis ${i}` : `${d}`] : []));
    missing.push(
      open ? `"${input.name}" ${declared(input.shape!)} (${open.join(", ")})` : `"${input.name}" (its rank is not stated either)`,
    );
    flags.push(`--shape ${input.name}=${example(input.shape)}`);
    return { ...input, shape: [] };
  });
  if (missing.length > 0) {
    throw new ModelError(
      `The model has symbolic axes that must be fixed: input ${missing.join("; input ")}. Give their sizes, for example ${flags.join(" ")}.`,
    );
  }
  return { inputs: fixed, axes };
}

const written = (shape: Shape): string => shape.join("x") || "scalar";

function declared(shape: readonly (number | string)[]): string {
  return `[${shape.map((d) => (d === "" ? "?" : d)).join(", ")}]`;
}

function example(shape: readonly (number | string)[] | undefined): string {
  const axes = shape ?? ["", 3, "", ""];
  return axes.map((d, i) => (typeof d === "number" ? d : i === 0 ? 1 : axes.length === 4 && i === 1 ? 3 : 224)).join("x");
}

// ---- folding and writing ---------------------------------------------------------------------------------------------------------

interface Output {
  readonly name: string;
  readonly value: Value;
}

/** Evaluates, in one session, the constants that the nodes in use read. */
async function foldConstants(statics: StaticGraph, outputs: readonly Output[]): Promise<void> {
  const wanted = new Set<Value>();
  const seen = new Set<Value>();
  const stack = outputs.map(({ value }) => value);
  for (let v = stack.pop(); v; v = stack.pop()) {
    const value = statics.resolve(v);
    if (seen.has(value)) continue;
    seen.add(value);
    if (value.constant) continue;
    if (statics.isConstant(value) && !(statics.keep === "weights" && statics.carriesWeights(value))) {
      wanted.add(value);
      continue;
    }
    const maker = statics.makers.get(value);
    for (const read of [...(maker?.inputs ?? []), ...(maker?.captures.values() ?? [])]) if (read) stack.push(read);
  }
  await statics.evaluateConstants([...wanted]);
}

function write(statics: StaticGraph, inputs: readonly FixedInput[], outputs: readonly Output[]): OnnxModel {
  const initializers = new Map<string, Tensor>();
  const constants = new Set<string>();
  const valueInfo = new Map<string, ValueInfo>();
  const read = (v: Value): string => {
    const value = statics.resolve(v);
    const name = statics.nameOf(value);
    if (value.constant) {
      initializers.set(name, value.constant);
      if (!statics.weights.has(value)) constants.add(name);
    }
    return name;
  };
  const makers = outputs.flatMap(({ value }) => statics.makers.get(statics.resolve(value)) ?? []);
  const needed = statics.neededBy(makers);
  const nodes: OnnxNode[] = statics.nodes
    .filter((made) => needed.has(made))
    .map((made) => {
      const names = statics.outputNames(made);
      names.forEach((name, i) => {
        if (name !== "") valueInfo.set(name, { name, type: made.outputs[i]!.type, shape: made.outputs[i]!.shape });
      });
      return statics.write(made, names, read);
    });
  for (const { name, value } of outputs) {
    const source = statics.resolve(value);
    if (statics.nameOf(source) === name && !source.constant) continue;
    const node = outputNode(statics, name, source, read, initializers);
    // first where it needs no other node: others may read the constant under the output's name
    if (source.constant) nodes.unshift(node);
    else nodes.push(node);
    valueInfo.set(name, { name, type: source.type, shape: source.shape });
  }
  return statics.modelOf({
    inputs,
    outputs: outputs.map(({ name, value }) => ({ name, type: value.type, shape: value.shape })),
    initializers,
    constants,
    nodes,
    valueInfo,
  });
}

/** An output that is a constant, an input or a second name of a value has a node of its own. */
function outputNode(
  statics: StaticGraph,
  name: string,
  source: Value,
  read: (v: Value) => string,
  initializers: Map<string, Tensor>,
): OnnxNode {
  let from = read(source);
  if (from === name && source.constant) {
    initializers.delete(name);
    from = statics.uniqueName(`${name}_value`);
    initializers.set(from, source.constant);
  }
  return { name: "", op: "Identity", domain: "", inputs: [from], outputs: [name], attributes: {} };
}
