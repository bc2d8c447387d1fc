import type { Graph, Value } from "../graph/graph.js";
import { namesRead } from "../onnx/check.js";
import { ModelError, type OnnxModel, type ValueInfo } from "../onnx/model.js";
import type { Shape } from "../tensor/tensor.js";
import type { Evaluate } from "./constant-part.js";
import { Importer } from "./importer.js";
import { floatsBehind, type KnownPart, UnknownShapeError } from "./known-part.js";
import { Scope } from "./scope.js";

export type { Evaluate } from "./constant-part.js";
export type { KnownPart } from "./known-part.js";

export interface SpecializeOptions {
  /**
   * "nothing" (default) folds every constant subgraph. "weights" leaves in place what is computed from weights (float
   * initializers of the file), so that gradients with respect to them remain possible.
   */
  readonly keep?: "nothing" | "weights";
}

/**
 * A model as a graph, fixed to given input shapes: every value gets a static type, constant subgraphs are evaluated by ONNX Runtime, Shape
 * and Size become constants, Identity, Dropout and idle casts and reshapes go, If with a constant condition is inlined, Loop and Scan of
 * constant length are unrolled, equal nodes are shared, and what nothing uses is dropped. Values that remain bear their names in the file, and
 * are found by every name that stands for them there; inputs and outputs stay as they are. No constant becomes larger than what it was made
 * from: what would (a repeated value, dequantized weights) stays with the nodes that make it.
 *
 * @param shapes a shape for each input that has symbolic axes; others may be given too and must fit.
 * @param evaluate runs a graph without inputs. It is called a few times, with as much to compute as is known to be needed.
 * @throws ModelError naming every symbolic axis that is not given, a shape that does not fit, or every node whose output shapes depend on data
 *   (`UnknownShapeError`, which names the last values before them too).
 * @example
 * const graph = await specialize(parseModel(bytes), { x: [1, 3, 224, 224] }, engine.evaluate);
 */
export async function specialize(
  model: OnnxModel,
  shapes: Readonly<Record<string, Shape>>,
  evaluate: Evaluate,
  options: SpecializeOptions = {},
): Promise<Graph> {
  const known = await specializeKnownPart(model, shapes, evaluate, options);
  if (known.leftOut.length > 0) throw UnknownShapeError.of(known);
  return known.graph;
}

/**
 * Specializes what can be: nodes whose shapes depend on data (NonZero, NonMaxSuppression, ...), and all that read what they make, are left
 * out and listed. Otherwise as `specialize`.
 */
export async function specializeKnownPart(
  model: OnnxModel,
  shapes: Readonly<Record<string, Shape>>,
  evaluate: Evaluate,
  options: SpecializeOptions = {},
): Promise<KnownPart> {
  const { inputs, axes, open } = fixInputs(model, shapes);
  const names = model.graph.outputs.map(({ name }) => name);
  const importer = new Importer(model, evaluate, { axes, open, keep: options.keep ?? "nothing" });
  const scope = new Scope(model.graph);
  for (const { name, type, shape } of inputs) scope.values.set(name, importer.input(name, { type, shape }));
  await importer.addGraph(scope);

  const { leftOut, nameOf } = importer;
  const beyond = new Set(leftOut.flatMap(({ node }) => node.outputs));
  const read = new Set(leftOut.flatMap(({ node }) => namesRead(node)).filter((name) => !beyond.has(name)));
  const outputs = names.filter((name) => !beyond.has(name));
  // entries of lists have no names of their own in the file
  const named = (v: Value): readonly Value[] =>
    nameOf.has(v) ? [v] : (v.node?.inputs ?? []).flatMap((i) => (i ? named(i) : []));
  const entries = [...read].flatMap((name): (readonly [string, Value])[] => {
    const list = scope.findList(name);
    return list ? list.flatMap(named).map((v) => [nameOf.get(v)!, v]) : [[name, scope.find(name)]];
  });
  const ends = new Map(entries.filter(([, v]) => !importer.constants.has(v)));
  const lastValues = floatsBehind(ends.values()).flatMap((v) => nameOf.get(v) ?? []);
  const graph = await importer.finish(new Map([...outputs.map((name) => [name, scope.find(name)] as const), ...ends]));
  return { graph, outputs, unknownOutputs: names.filter((name) => beyond.has(name)), leftOut, lastValues };
}

// ---- inputs ----------------------------------------------------------------------------------------------------------------------

interface FixedInput extends ValueInfo {
  readonly shape: Shape;
}

function fixInputs(
  model: OnnxModel,
  shapes: Readonly<Record<string, Shape>>,
): { inputs: FixedInput[]; axes: ReadonlyMap<string, number>; open: ReadonlySet<string> } {
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
    const given = shapeOf(shapes, name);
    if (!given || !shape) continue;
    const fits = given.length === shape.length && shape.every((d, i) => typeof d === "string" || d === given[i]);
    if (!fits)
      throw new ModelError(`Input "${name}" of the model is ${declared(shape)}; the given shape ${written(given)} does not fit.`);
    shape.forEach((d, i) => {
      if (typeof d === "string" && d !== "" && !axes.has(d)) axes.set(d, given[i]!);
    });
  }
  const open = new Set<string>();
  for (const { name, shape } of inputs) if (!shape?.every((d) => typeof d === "number")) open.add(name);
  const missing: string[] = [];
  const flags: string[] = [];
  const fixed = inputs.map((input): FixedInput => {
    const given = shapeOf(shapes, input.name) ?? input.shape?.map((d) => (typeof d === "number" ? d : axes.get(d)));
    if (given?.every((d) => d !== undefined)) return { ...input, shape: given };
    const free = input.shape?.flatMap((d, i) => (given?.[i] === undefined ? [d === "" ? `axis ${i}` : `${d}`] : []));
    missing.push(
      free ? `"${input.name}" ${declared(input.shape!)} (${free.join(", ")})` : `"${input.name}" (its rank is not stated either)`,
    );
    flags.push(`--shape ${input.name}=${example(input.shape)}`);
    return { ...input, shape: [] };
  });
  if (missing.length > 0) {
    throw new ModelError(
      `The model has symbolic axes that must be fixed: input ${missing.join("; input ")}. Give their sizes, for example ${flags.join(" ")}.`,
    );
  }
  return { inputs: fixed, axes, open };
}

const shapeOf = (shapes: Readonly<Record<string, Shape>>, name: string): Shape | undefined =>
  Object.hasOwn(shapes, name) ? shapes[name] : undefined;

const written = (shape: Shape): string => shape.join("x") || "scalar";

function declared(shape: readonly (number | string)[]): string {
  return `[${shape.map((d) => (d === "" ? "?" : d)).join(", ")}]`;
}

function example(shape: readonly (number | string)[] | undefined): string {
  const axes = shape ?? ["", 3, "", ""];
  return axes.map((d, i) => (typeof d === "number" ? d : i === 0 ? 1 : axes.length === 4 && i === 1 ? 3 : 224)).join("x");
}
