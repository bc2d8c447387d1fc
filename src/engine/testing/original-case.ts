import { gradientGraph } from "../autodiff/gradient-graph.js";
import { specialize } from "../compile/specialize.js";
import type { Attribute, OnnxModel } from "../onnx/model.js";
import { parseModel } from "../onnx/read.js";
import { node, smallModel } from "../onnx/testing/small-model.js";
import { writeModel } from "../onnx/write.js";
import { findOperator } from "../operators/index.js";
import { Random } from "../tensor/random.js";
import { type DataType, describe, isFloat, type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { type OptimizationLevel, runModel } from "./run-model.js";

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

/** How values and gradient differ from the original's, as readable lines; empty where they agree. */
export async function differences(original: OriginalCase, level: OptimizationLevel): Promise<string[]> {
  const random = new Random(1, original.name);
  const model = modelOf(original);
  const bytes = writeModel(model);
  const feeds = feedsOf(original, random);
  const run = (at: Readonly<Record<string, Tensor>>) => runModel(bytes, at, "disabled");
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
  const fixed = await specialize(parseModel(bytes), shapes, (constants) => runModel(constants, {}));
  const expected = await run(feeds);
  const wrong = compare(expected, await runModel(fixed, feeds, level), original.tolerance ?? 1e-5);
  const smooth = Object.keys(feeds).filter((name) => isFloat(feeds[name]!.type));
  if (wrong.length > 0 || smooth.length === 0 || !Object.values(expected).some((t) => isFloat(t.type))) return wrong;

  // ⟨∇, u⟩ of Σ ⟨v, y⟩ against (f(x + hu) - f(x - hu)) / 2h
  const step = original.step ?? 1e-2;
  const noise = (t: Tensor) => Array.from({ length: sizeOf(t.shape) }, () => random.normal());
  const direction = Object.fromEntries(smooth.map((name) => [name, noise(feeds[name]!)]));
  const cotangents = Object.entries(expected).flatMap(([name, t]) =>
    isFloat(t.type) ? [[`v.${name}`, tensor(t.type, t.shape, noise(t))] as const] : [],
  );
  const moved = (by: number) => {
    const at = Object.entries(feeds).map(([name, t]) => {
      const u = direction[name];
      return [
        name,
        u
          ? tensor(
              t.type,
              t.shape,
              toNumbers(t).map((x, i) => x + by * u[i]!),
            )
          : t,
      ] as const;
    });
    return run(Object.fromEntries(at));
  };
  const [plus, minus] = [await moved(step), await moved(-step)];
  const slopes = await runModel(gradientGraph(fixed), { ...feeds, ...Object.fromEntries(cotangents) }, level);
  let [difference, gradient, scale] = [0, 0, 0];
  for (const [name, v] of cotangents) {
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
      gradient += g * direction[name]![i]!;
      scale += (g * direction[name]![i]!) ** 2;
    }
  }
  const near = Math.abs(difference - gradient) <= 1e-2 * Math.sqrt(scale) + 1e-4;
  return near ? [] : [`the gradient along a random direction is ${gradient}, and the difference of the original ${difference}`];
}

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

function modelOf({ operator, opset, inputs, attributes = {}, outputs = ["float32"] }: OriginalCase): OnnxModel {
  const dot = operator.lastIndexOf(".");
  const known = findOperator(operator.slice(dot + 1), dot < 0 ? "" : operator.slice(0, dot));
  const written = Object.entries(attributes).map(([name, value]) => {
    return [name, { kind: known!.attributes[name]!.kind, value } as Attribute] as const;
  });
  const names = inputs.map((input, i) => (input === undefined ? "-" : inputName(i)));
  const results = outputs.map((type, i) => (type === undefined ? "-" : `y${i}`));
  const typed = inputs.flatMap((input, i) => {
    if (input === undefined || "constant" in input) return [];
    return [[inputName(i), isTensor(input) ? [input.type, input.shape] : ["float32", input]] as const];
  });
  const constants = inputs.flatMap((input, i) => (input && "constant" in input ? [[inputName(i), input.constant] as const] : []));
  return smallModel({
    opset,
    inputs: Object.fromEntries(typed) as never,
    outputs: Object.fromEntries(outputs.flatMap((type, i) => (type ? [[`y${i}`, type] as const] : []))),
    nodes: [node(operator, names.join(" "), results.join(" "), Object.fromEntries(written))],
    initializers: Object.fromEntries(constants),
  });
}

function compare(
  expected: Readonly<Record<string, Tensor>>,
  actual: Readonly<Record<string, Tensor>>,
  tolerance: number,
): string[] {
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
