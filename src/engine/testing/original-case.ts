import { gradientGraph } from "../autodiff/gradient-graph.js";
import { lower } from "../compile/lower.js";
import { specialize } from "../compile/specialize.js";
import type { Graph } from "../graph/graph.js";
import type { Attribute, OnnxModel } from "../onnx/model.js";
import { parseModel } from "../onnx/read.js";
import { node, smallModel } from "../onnx/testing/small-model.js";
import { writeModel } from "../onnx/write.js";
import { findOperator } from "../operators/index.js";
import { Random } from "../tensor/random.js";
import {
  type DataType,
  describe,
  type FloatType,
  isFloat,
  type Shape,
  sizeOf,
  type Tensor,
  tensor,
  toNumbers,
} from "../tensor/tensor.js";
import { alwaysFloat32, inType } from "./retyped.js";
import { checkedLevels, type OptimizationLevel, runModel } from "./run-model.js";

/**
 * One node in a form that opset 18 does not have. ONNX Runtime runs it as it stands in its file and as Faultline takes it apart, and the two
 * must agree; the gradient of the parts must agree with finite differences of the original.
 */
export interface OriginalCase {
  readonly name: string;
  /** For example "AveragePool", or "com.microsoft.Attention". */
  readonly operator: string;
  /** Version of the default operator set in the file. */
  readonly opset: number;
  /** In order: the shape of a random float32 input, the tensor that is fed, a constant of the file, or nothing. */
  readonly inputs: readonly (Shape | Tensor | { readonly constant: Tensor } | undefined)[];
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Element types of the outputs; undefined where one is left out. Default one of float32. */
  readonly outputs?: readonly (DataType | undefined)[];
  /** Largest difference allowed, absolute and in proportion; default 1e-5. */
  readonly tolerance?: number;
  /** Step of the central difference; default 1e-2. */
  readonly step?: number;
}

type Feeds = Readonly<Record<string, Tensor>>;

/** How values and gradient differ from the original's, as readable lines; empty where they agree. */
export async function differences(original: OriginalCase, level: OptimizationLevel): Promise<string[]> {
  const random = new Random(1, original.name);
  return differencesFromFile(writeModel(modelOf(original)), feedsOf(original, random), level, { ...original, random });
}

/** The same of any file whose every float input is differentiated. */
export async function differencesFromFile(
  bytes: Uint8Array,
  feeds: Feeds,
  level: OptimizationLevel,
  { random, tolerance = 1e-5, step = 1e-2 }: { readonly random: Random; readonly tolerance?: number; readonly step?: number },
): Promise<string[]> {
  const run = (at: Feeds) => runModel(bytes, at, "disabled");
  const fixed = await fixedModel(bytes, feeds);
  const expected = await run(feeds);
  const wrong = compare(expected, await runModel(fixed, feeds, level), tolerance);
  const smooth = Object.keys(feeds).filter((name) => isFloat(feeds[name]!.type));
  if (wrong.length > 0 || smooth.length === 0 || !Object.values(expected).some((t) => isFloat(t.type))) return wrong;

  // ⟨∇, u⟩ of Σ ⟨v, y⟩ against (f(x + hu) - f(x - hu)) / 2h
  const direction = Object.fromEntries(smooth.map((name) => [name, normals(feeds[name]!, random)]));
  const cotangents = cotangentsOf(expected, random);
  const moved = (by: number) =>
    run({ ...feeds, ...Object.fromEntries(smooth.map((name) => [name, shifted(feeds[name]!, direction[name]!, by)])) });
  const [plus, minus] = [await moved(step), await moved(-step)];
  const gradient = gradientGraph(fixed);
  const slopes = await runModel(gradient, { ...feeds, ...cotangents }, level);
  let [difference, along, scale] = [0, 0, 0];
  for (const [name, v] of Object.entries(cotangents)) {
    const output = name.slice("v.".length);
    const [p, m] = [toNumbers(plus[output]!), toNumbers(minus[output]!)];
    for (const [i, vi] of toNumbers(v).entries()) {
      const term = (vi * (p[i]! - m[i]!)) / (2 * step);
      difference += term;
      scale += term * term;
    }
  }
  for (const name of smooth) {
    for (const [i, g] of toNumbers(slopes[`d.${name}`]!).entries()) {
      along += g * direction[name]![i]!;
      scale += (g * direction[name]![i]!) ** 2;
    }
  }
  if (!(Math.abs(difference - along) <= 1e-2 * Math.sqrt(scale) + 1e-4))
    return [`the gradient along a random direction is ${along}, and the difference of the original ${difference}`];
  const rewritten = await runModel(lower(gradient, "cpu"), { ...feeds, ...cotangents }, level);
  return compare(slopes, rewritten, 1e-4).map((line) => `rewritten, ${line}`);
}

/**
 * The relative L2 error of values and gradients of the same file in another element type, against its float32 twin, beyond a tolerance.
 *
 * @returns undefined where ONNX Runtime has no kernel for what the operator became.
 */
export async function twinDifferences(original: OriginalCase, type: FloatType, tolerance: number): Promise<string[] | undefined> {
  const random = new Random(1, original.name);
  const drawn = feedsOf(original, random);
  const inThat = (feeds: Feeds): Feeds => mapTensors(feeds, (t) => (isFloat(t.type) ? inType(t, type) : t));
  const inFloat32 = (feeds: Feeds): Feeds => mapTensors(feeds, (t) => (isFloat(t.type) ? inType(t, "float32") : t));
  const rounded = inThat(drawn);
  const fixed = await fixedModel(writeModel(modelOf(original, type)), rounded);
  const twin = await fixedModel(writeModel(modelOf(original)), inFloat32(rounded));
  try {
    await runModel(fixed, rounded, "disabled");
  } catch {
    return undefined;
  }
  const expectedValues = await runModel(twin, inFloat32(rounded), "disabled");
  const smooth = Object.values(rounded).some((t) => isFloat(t.type));
  const cotangents = inThat(cotangentsOf(expectedValues, random));
  const of = (model: Graph) => (smooth ? gradientGraph(model) : model);
  const feeds = smooth ? { ...rounded, ...cotangents } : rounded;
  const expected = await runModel(of(twin), inFloat32(feeds), "disabled");
  const lines: string[] = [];
  for (const level of checkedLevels) {
    for (const [form, model] of [["as it is", of(fixed)] as const, ["rewritten", lower(of(fixed), "cpu")] as const]) {
      const actual = await runModel(model, feeds, level);
      for (const [name, want] of Object.entries(expected)) {
        const error = relativeError(toNumbers(actual[name]!), toNumbers(want));
        if (!(error <= tolerance)) lines.push(`${name}, ${form}, ${level}: ${error}`);
      }
    }
  }
  return lines;
}

const fixedModel = (bytes: Uint8Array, feeds: Feeds): Promise<Graph> =>
  specialize(
    parseModel(bytes),
    Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape])),
    (constants) => runModel(constants, {}),
  );

const mapTensors = (tensors: Feeds, by: (t: Tensor) => Tensor): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, by(t)]));

const normals = ({ shape }: Tensor, random: Random): number[] => Array.from({ length: sizeOf(shape) }, () => random.normal());

const shifted = (t: Tensor, direction: readonly number[], by: number): Tensor =>
  tensor(
    t.type,
    t.shape,
    toNumbers(t).map((x, i) => x + by * direction[i]!),
  );

const cotangentsOf = (outputs: Feeds, random: Random): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(outputs).flatMap(([name, t]) =>
      isFloat(t.type) ? [[`v.${name}`, tensor(t.type, t.shape, normals(t, random))] as const] : [],
    ),
  );

const inputName = (i: number) => `x${i}`;
const isTensor = (input: OriginalCase["inputs"][number]): input is Tensor => input !== undefined && "data" in input;

function feedsOf({ inputs }: OriginalCase, random: Random): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.flatMap((input, i) => {
      if (input === undefined || "constant" in input) return [];
      if (isTensor(input)) return [[inputName(i), input] as const];
      const values = Array.from({ length: sizeOf(input) }, () => random.uniform(-1, 1));
      return [[inputName(i), tensor("float32", input, values)] as const];
    }),
  );
}

/** The file; `type` takes the place of float32 in it. */
function modelOf(
  { operator, opset, inputs, attributes = {}, outputs = ["float32"] }: OriginalCase,
  type: FloatType = "float32",
): OnnxModel {
  const dot = operator.lastIndexOf(".");
  const known = findOperator(operator.slice(dot + 1), dot < 0 ? "" : operator.slice(0, dot));
  const written = Object.entries(attributes).map(([name, value]) => {
    return [name, { kind: known!.attributes[name]!.kind, value } as Attribute] as const;
  });
  const typeOf = (t: DataType): DataType => (t === "float32" ? type : t);
  const names = inputs.map((input, i) => (input === undefined ? "-" : inputName(i)));
  const results = outputs.map((output, i) => (output === undefined ? "-" : `y${i}`));
  const typed = inputs.flatMap((input, i) => {
    if (input === undefined || "constant" in input) return [];
    return [[inputName(i), isTensor(input) ? [typeOf(input.type), input.shape] : [type, input]] as const];
  });
  const constants = inputs.flatMap((input, i) => {
    if (!input || !("constant" in input)) return [];
    const fixed = alwaysFloat32.has(known!.inputs[i] ?? "");
    return [[inputName(i), inType(input.constant, fixed ? "float32" : typeOf(input.constant.type))] as const];
  });
  return smallModel({
    opset,
    inputs: Object.fromEntries(typed) as never,
    outputs: Object.fromEntries(outputs.flatMap((output, i) => (output ? [[`y${i}`, typeOf(output)] as const] : []))),
    nodes: [node(operator, names.join(" "), results.join(" "), Object.fromEntries(written))],
    initializers: Object.fromEntries(constants),
  });
}

function compare(expected: Feeds, actual: Feeds, tolerance: number): string[] {
  return Object.entries(expected).flatMap(([name, want]) => {
    const got = actual[name];
    if (!got || describe(got) !== describe(want)) return [`${name} is ${got && describe(got)} instead of ${describe(want)}`];
    const numbers = toNumbers(want);
    const far = toNumbers(got).flatMap((value, i) => {
      const target = numbers[i]!;
      const near = Math.abs(value - target) <= tolerance * Math.max(1, Math.abs(target)) || Object.is(value, target);
      return near ? [] : [`${name}[${i}] is ${value} instead of ${target}`];
    });
    return far.slice(0, 3);
  });
}

/** ‖a - b‖ / ‖b‖; numbers that are infinite or NaN in both are equal. */
function relativeError(a: readonly number[], b: readonly number[]): number {
  const difference = b.reduce((sum, v, i) => (Object.is(a[i], v) ? sum : sum + (a[i]! - v) ** 2), 0);
  const size = b.reduce((sum, v) => (Number.isFinite(v) ? sum + v ** 2 : sum), 0);
  return Math.sqrt(difference) / Math.max(Math.sqrt(size), 1e-3);
}
