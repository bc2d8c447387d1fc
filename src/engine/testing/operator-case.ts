import { jacobianVectorProduct } from "../autodiff/forward.js";
import { vectorJacobianProduct } from "../autodiff/gradients.js";
import { lower } from "../compile/lower.js";
import { Graph, type Value } from "../graph/graph.js";
import type { GradientOptions } from "../graph/operator.js";
import type { OnnxModel } from "../onnx/model.js";
import { Random } from "../tensor/random.js";
import { describe, type FloatType, isFloat, type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { inType, retyped } from "./retyped.js";
import { checkedLevels, type OptimizationLevel, runModel } from "./run-model.js";

/** One operator in one mode, for the finite-difference check. Families list theirs in `cases.ts` beside their operators. */
export interface OperatorCase {
  /** For example "Conv: grouped, dilation 2". */
  readonly name: string;
  /** The ONNX operator under test. */
  readonly operator: string;
  /** Float inputs, differentiated: drawn uniformly from `range` (default [-1, 1]), or given. Keep away from kinks. */
  readonly inputs: Readonly<
    Record<string, { readonly shape: Shape; readonly range?: readonly [number, number]; readonly values?: readonly number[] }>
  >;
  readonly build: (inputs: Readonly<Record<string, Value>>, graph: Graph) => Value | readonly Value[];
  readonly options?: Partial<GradientOptions>;
  /** Step of the central difference; default 1e-2. Relative tolerance of the directional derivative; default 1e-2. */
  readonly step?: number;
  readonly tolerance?: number;
}

export interface Directional {
  readonly finiteDifference: number;
  readonly gradient: number;
  /** The same from forward mode, ⟨v, J u⟩, where it was asked for. */
  readonly tangent: number | undefined;
  /** Size against which a difference counts: the norms of the terms that cancel. */
  readonly scale: number;
  /** The difference that is allowed. */
  readonly allowed: number;
}

/** A case as a graph, with a point to stand at and a cotangent for each output. */
interface Setting {
  readonly graph: Graph;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly point: Readonly<Record<string, Tensor>>;
  /** By the name of its graph input: `v0`, `v1`, ... for floating-point outputs. */
  readonly cotangents: Readonly<Record<string, Tensor>>;
}

function settingOf(test: OperatorCase, random: Random): Setting {
  const graph = new Graph();
  const inputs: Record<string, Value> = {};
  const point: Record<string, Tensor> = {};
  for (const [name, { shape, range = [-1, 1], values }] of Object.entries(test.inputs)) {
    inputs[name] = graph.input(name, "float32", shape);
    point[name] = tensor("float32", shape, values ?? Array.from({ length: sizeOf(shape) }, () => random.uniform(...range)));
  }
  const built = test.build(inputs, graph);
  const outputs = (Array.isArray(built) ? built : [built]) as readonly Value[];
  const cotangents: Record<string, Tensor> = {};
  outputs.forEach((of, i) => {
    graph.output(`y${i}`, of);
    if (isFloat(of.type)) cotangents[`v${i}`] = normals(of.shape, random);
  });
  return { graph, inputs: Object.values(inputs), outputs, point, cotangents };
}

const normals = (shape: Shape, random: Random): Tensor =>
  tensor(
    "float32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.normal()),
  );

/** The case with its gradients as outputs `d.<input>` and cotangents as inputs; everything that is float32 may be of another type. */
function withGradients(test: OperatorCase, setting: Setting, type: FloatType): Graph {
  const { graph, moved } = retyped(setting.graph, type);
  const at = (v: Value) => moved.get(v)!;
  const seeds = Object.keys(setting.cotangents).map((name) => {
    const of = graph.outputs.get(`y${name.slice(1)}`)!;
    return { of, cotangent: graph.input(name, of.type, of.shape) };
  });
  vectorJacobianProduct(seeds, setting.inputs.map(at), test.options).forEach((g, i) => {
    graph.output(`d.${setting.inputs[i]!.name}`, g);
  });
  return graph;
}

/** Adds a tangent `t.<input>` for each input and `t.<output>` for each floating-point output. */
function withTangents(test: OperatorCase, setting: Setting, graph: Graph): Graph {
  const moving = setting.inputs.map(({ name }) => {
    const wrt = graph.inputs.find((v) => v.name === name)!;
    return { wrt, tangent: graph.input(`t.${name}`, wrt.type, wrt.shape) };
  });
  const names = Object.keys(setting.cotangents).map((name) => `y${name.slice(1)}`);
  const of = names.map((name) => graph.outputs.get(name)!);
  jacobianVectorProduct(of, moving, test.options).forEach((t, i) => {
    graph.output(`t.${names[i]}`, t);
  });
  return graph;
}

/** Central differences of float64 arithmetic are sharper. */
const precision = {
  float32: { step: 1e-2, tolerance: 1e-2, noise: 1e-4 },
  float64: { step: 1e-5, tolerance: 1e-6, noise: 1e-9 },
} as const;

/**
 * Compares ⟨∇, u⟩ with (f(x + hu) - f(x - hu)) / 2h for f = Σ ⟨v, y⟩, random v and u, where all arithmetic inside is ONNX Runtime's and
 * the differences are summed in float64. Checks the shape rules as well.
 *
 * @returns undefined where ONNX Runtime has no kernel for the operator itself in that type.
 */
export async function checkDirectional(
  test: OperatorCase,
  level: OptimizationLevel,
  {
    seed = 1,
    type = "float32",
    tangents = "no",
  }: { readonly seed?: number; readonly type?: "float32" | "float64"; readonly tangents?: "too" | "no" } = {},
): Promise<Directional | undefined> {
  const random = new Random(seed, test.name);
  const setting = settingOf(test, random);
  if (type !== "float32" && !(await runs(setting, type))) return undefined;
  const gradients = withGradients(test, setting, type);
  const model = (tangents === "too" ? withTangents(test, setting, gradients) : gradients).build();
  const { step, tolerance, noise } = precision[type];
  const h = test.step !== undefined && (type === "float32" || test.tolerance !== undefined) ? test.step : step;
  const direction = Object.fromEntries(setting.inputs.map((x) => [x.name, toNumbers(normals(x.shape, random))]));
  const feeds = (shift: number) => ({
    ...asFed(setting.cotangents, model),
    ...(tangents === "too" &&
      Object.fromEntries(setting.inputs.map(({ name, shape }) => [`t.${name}`, tensor(type, shape, direction[name]!)]))),
    ...Object.fromEntries(
      setting.inputs.map(({ name, shape }) => {
        const moved = toNumbers(setting.point[name]!).map((x, i) => x + shift * direction[name]![i]!);
        return [name, tensor(type, shape, moved)];
      }),
    ),
  });
  const [at, plus, minus] = [
    await runModel(model, feeds(0), level),
    await runModel(model, feeds(h), level),
    await runModel(model, feeds(-h), level),
  ];
  setting.outputs.forEach((of, i) => {
    const declared = model.graph.outputs.find(({ name }) => name === `y${i}`)!;
    const expected = describe({ type: declared.type, shape: of.shape });
    if (describe(at[`y${i}`]!) !== expected)
      throw new Error(`The shape rule says ${expected}, ONNX Runtime computes ${describe(at[`y${i}`]!)}.`);
  });
  let finiteDifference = 0;
  let tangent = 0;
  let scale = 0;
  for (const [name, v] of Object.entries(setting.cotangents)) {
    const [p, m] = [plus, minus].map((r) => toNumbers(r[`y${name.slice(1)}`]!)) as [number[], number[]];
    toNumbers(v).forEach((vi, i) => {
      const term = (vi * (p[i]! - m[i]!)) / (2 * h);
      finiteDifference += term;
      scale += term * term;
    });
    if (tangents === "too") tangent += dot(v, at[`t.y${name.slice(1)}`]!);
  }
  let gradient = 0;
  for (const { name } of setting.inputs) {
    toNumbers(at[`d.${name}`]!).forEach((g, i) => {
      gradient += g * direction[name]![i]!;
      scale += (g * direction[name]![i]!) ** 2;
    });
  }
  const allowed = (test.tolerance ?? tolerance) * Math.sqrt(scale) + (test.tolerance === undefined ? noise : 1e-4);
  return { finiteDifference, gradient, tangent: tangents === "too" ? tangent : undefined, scale: Math.sqrt(scale), allowed };
}

const dot = (a: Tensor, b: Tensor): number => {
  const other = toNumbers(b);
  return toNumbers(a).reduce((sum, v, i) => sum + v * other[i]!, 0);
};

/** Whether ONNX Runtime has kernels for the case itself, without its gradient, in a type. */
async function runs(setting: Setting, type: FloatType): Promise<boolean> {
  try {
    const forward = retyped(setting.graph, type).graph.build();
    await runModel(forward, asFed(setting.point, forward), "disabled");
    return true;
  } catch {
    return false;
  }
}

/** Tensors in the types of the model's inputs. */
const asFed = (tensors: Readonly<Record<string, Tensor>>, { graph }: OnnxModel): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, t]) => [name, inType(t, graph.inputs.find((i) => i.name === name)!.type)]),
  );

/** How far each result of a case in another type lies from its float32 twin, relative to the twin's norm. */
export interface TwinDeviation {
  /** For example "d.x, rewritten, all". */
  readonly what: string;
  readonly error: number;
}

/**
 * Computes a case in another type and in float32 at the same point (rounded to the type), as it is and rewritten, at both levels of
 * optimization.
 *
 * @returns undefined where ONNX Runtime has no kernel for the operator itself in that type.
 */
export async function compareWithTwin(test: OperatorCase, type: FloatType): Promise<readonly TwinDeviation[] | undefined> {
  const setting = settingOf(test, new Random(1, test.name));
  if (!(await runs(setting, type))) return undefined;
  const graph = withGradients(test, setting, type);
  const model = graph.build();
  const feeds = asFed({ ...setting.point, ...setting.cotangents }, model);
  const float32 = withGradients(test, setting, "float32").build();
  const twin = await runModel(float32, asFed(feeds, float32), "disabled");
  const deviations: TwinDeviation[] = [];
  for (const [form, variant] of [["as it is", model] as const, ["rewritten", lower(graph, "cpu")] as const]) {
    for (const level of checkedLevels) {
      const results = await runModel(variant, feeds, level);
      for (const [name, expected] of Object.entries(twin))
        deviations.push({
          what: `${name}, ${form}, ${level}`,
          error: relativeError(toNumbers(results[name]!), toNumbers(expected)),
        });
    }
  }
  return deviations;
}

/** ‖a - b‖ / ‖b‖; numbers that are infinite or NaN in both are equal. */
function relativeError(a: readonly number[], b: readonly number[]): number {
  let difference = 0;
  let size = 0;
  b.forEach((v, i) => {
    if (Object.is(a[i], v)) return;
    difference += (a[i]! - v) ** 2;
  });
  for (const v of b) if (Number.isFinite(v)) size += v ** 2;
  return Math.sqrt(difference) / Math.max(Math.sqrt(size), 1e-3);
}
