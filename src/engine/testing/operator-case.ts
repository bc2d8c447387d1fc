import { vectorJacobianProduct } from "../autodiff/gradients.js";
import { Graph, type Value } from "../graph/graph.js";
import type { GradientOptions } from "../graph/operator.js";
import { Random } from "../tensor/random.js";
import { describe, isFloat, type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { type OptimizationLevel, runModel } from "./run-model.js";

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
  /** Size against which a difference counts: the norms of the terms that cancel. */
  readonly scale: number;
}

/**
 * Compares ⟨∇, u⟩ with (f(x + hu) - f(x - hu)) / 2h for f = Σ ⟨v, y⟩, random v and u, where all float32 arithmetic is ONNX Runtime's and
 * the differences are summed in float64. Checks the shape rules as well.
 */
export async function checkDirectional(test: OperatorCase, level: OptimizationLevel, seed = 1): Promise<Directional> {
  const random = new Random(seed, test.name);
  const graph = new Graph();
  const inputs: Record<string, Value> = {};
  const point: Record<string, Tensor> = {};
  for (const [name, { shape, range = [-1, 1], values }] of Object.entries(test.inputs)) {
    inputs[name] = graph.input(name, "float32", shape);
    point[name] = tensor("float32", shape, values ?? Array.from({ length: sizeOf(shape) }, () => random.uniform(...range)));
  }
  const built = test.build(inputs, graph);
  const outputs = (Array.isArray(built) ? built : [built]) as readonly Value[];
  const seeds = outputs.flatMap((of, i) => {
    graph.output(`y${i}`, of);
    if (!isFloat(of.type)) return [];
    const cotangent = graph.input(`v${i}`, of.type, of.shape);
    point[`v${i}`] = tensor(
      of.type,
      of.shape,
      Array.from({ length: sizeOf(of.shape) }, () => random.normal()),
    );
    return [{ of, cotangent, index: i }];
  });
  const names = Object.keys(inputs);
  vectorJacobianProduct(
    seeds,
    names.map((n) => inputs[n]!),
    test.options,
  ).forEach((g, i) => {
    graph.output(`d.${names[i]}`, g);
  });
  const model = graph.build();
  const h = test.step ?? 1e-2;
  const direction = Object.fromEntries(
    names.map((n) => [n, Array.from({ length: point[n]!.data.length }, () => random.normal())]),
  );
  const shifted = (sign: number) => ({
    ...point,
    ...Object.fromEntries(
      names.map((n) => [
        n,
        tensor(
          "float32",
          point[n]!.shape,
          toNumbers(point[n]!).map((x, i) => x + sign * h * direction[n]![i]!),
        ),
      ]),
    ),
  });
  const [at, plus, minus] = [
    await runModel(model, point, level),
    await runModel(model, shifted(1), level),
    await runModel(model, shifted(-1), level),
  ];
  for (const { of, index } of seeds) {
    const computed = describe(at[`y${index}`]!);
    if (computed !== describe(of)) throw new Error(`The shape rule says ${describe(of)}, ONNX Runtime computes ${computed}.`);
  }
  let finiteDifference = 0;
  let scale = 0;
  for (const { index } of seeds) {
    const v = toNumbers(point[`v${index}`]!);
    const [p, m] = [toNumbers(plus[`y${index}`]!), toNumbers(minus[`y${index}`]!)];
    v.forEach((vi, i) => {
      const term = (vi * (p[i]! - m[i]!)) / (2 * h);
      finiteDifference += term;
      scale += term * term;
    });
  }
  let gradient = 0;
  for (const n of names) {
    toNumbers(at[`d.${n}`]!).forEach((g, i) => {
      gradient += g * direction[n]![i]!;
      scale += (g * direction[n]![i]!) ** 2;
    });
  }
  return { finiteDifference, gradient, scale: Math.sqrt(scale) };
}
