import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.js";
import { Graph, type Value } from "../graph/graph.js";
import type { GradientOptions } from "../graph/operator.js";
import { type DataType, isFloat, type Shape, tensor, toNumbers } from "../tensor/tensor.js";
import { runModel } from "../testing/run-model.js";
import * as o from "./index.js";

type Points = Readonly<Record<string, { readonly shape: Shape; readonly values: readonly number[]; readonly type?: DataType }>>;

/** Values of the gradient of Σ build(inputs) with respect to every input. */
async function gradientAt(
  points: Points,
  build: (inputs: Readonly<Record<string, Value>>, graph: Graph) => Value,
  options: Partial<GradientOptions> = {},
): Promise<Record<string, number[]>> {
  const graph = new Graph();
  const names = Object.keys(points);
  const inputs = Object.fromEntries(names.map((n) => [n, graph.input(n, points[n]!.type ?? "float32", points[n]!.shape)]));
  const of = build(inputs, graph);
  gradients(
    of,
    names.map((n) => inputs[n]!),
    options,
  ).forEach((g, i) => {
    graph.output(`d.${names[i]}`, g);
  });
  const feeds = names.map((n) => [n, tensor(points[n]!.type ?? "float32", points[n]!.shape, points[n]!.values)] as const);
  const results = await runModel(graph, Object.fromEntries(feeds));
  return Object.fromEntries(names.map((n) => [n, toNumbers(results[`d.${n}`]!)]));
}

const at = (...values: readonly number[]): Points => ({ x: { shape: [values.length], values } });

// The expected numbers are PyTorch's.
describe("gradients at points without a derivative", () => {
  it("Abs is 0 at 0, Relu 0 at 0, LeakyRelu takes the negative side's slope", async () => {
    expect((await gradientAt(at(-1, 0, 1), ({ x }) => o.abs(x!))).x).toEqual([-1, 0, 1]);
    expect((await gradientAt(at(-1, 0, 1), ({ x }) => o.relu(x!))).x).toEqual([0, 0, 1]);
    expect((await gradientAt(at(-1, 0, 1), ({ x }) => o.leakyRelu(x!, 0.25))).x).toEqual([0.25, 0.25, 1]);
  });

  it("Clip passes the cotangent at its bounds, which have gradients of their own", async () => {
    const points = { ...at(-2, -1, 0, 1, 2, 3), low: { shape: [], values: [-1] }, high: { shape: [], values: [1] } };
    const d = await gradientAt(points, ({ x, low, high }) => o.clip(x!, low, high));
    expect(d).toEqual({ x: [0, 1, 1, 1, 0, 0], low: [1], high: [2] });
  });

  it("Clip with bounds that have changed places is its upper bound, which takes the cotangent", async () => {
    const points = { ...at(-2, 1.5, 3), low: { shape: [], values: [2] }, high: { shape: [], values: [1] } };
    const d = await gradientAt(points, ({ x, low, high }) => o.mul(o.clip(x!, low, high), 2));
    expect(d).toEqual({ x: [0, 0, 0], low: [0], high: [6] });
  });

  it("Max and Min share ties evenly, however many operands meet", async () => {
    const points = { a: { shape: [2], values: [1, 2] }, b: { shape: [2], values: [1, 1] }, c: { shape: [1], values: [1] } };
    expect(await gradientAt(points, ({ a, b }) => o.max(a!, b!))).toEqual({ a: [0.5, 1], b: [0.5, 0], c: [0] });
    const three = await gradientAt(points, ({ a, b, c }) => o.min(a!, b!, c!));
    expect(three.a![0]).toBeCloseTo(1 / 3, 6);
    expect(three.a![1]).toBe(0);
    expect(three.c![0]).toBeCloseTo(1 / 3 + 1 / 2, 6);
  });

  it("Pow: zero base, zero exponent", async () => {
    const points = { x: { shape: [4], values: [0, 0, 0, 2] }, p: { shape: [4], values: [2, 1, 0, 0] } };
    const d = await gradientAt(points, ({ x, p }) => o.pow(x!, p!));
    expect(d.x).toEqual([0, 1, 0, 0]);
    expect(d.p!.slice(0, 3)).toEqual([0, 0, 0]);
    expect(d.p![3]).toBeCloseTo(Math.log(2), 6);
    expect((await gradientAt(at(0, -3), ({ x }) => o.pow(x!, 2))).x).toEqual([0, -6]);
    expect((await gradientAt(at(0, -3), ({ x }) => o.pow(x!, 0))).x).toEqual([0, 0]);
  });

  it("norms have gradient 0 at the zero vector", async () => {
    const rows: Points = { x: { shape: [2, 2], values: [0, 0, 3, 4] } };
    const near = (values: readonly number[], expected: readonly number[]) =>
      values.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 6));
    near((await gradientAt(rows, ({ x }) => o.reduceL2(x!, [1]))).x!, [0, 0, 0.6, 0.8]);
    near((await gradientAt(rows, ({ x }) => o.reduceL1(x!, [1]))).x!, [0, 0, 1, 1]);
    near((await gradientAt(rows, ({ x }) => o.lpNormalization(x!, 1))).x!, [0, 0, 0.032, -0.024]);
  });

  it("ReduceProd is exact with no, one and two zeros", async () => {
    const rows: Points = { x: { shape: [3, 3], values: [2, 3, 4, 0, 3, 4, 0, 0, 4] } };
    expect((await gradientAt(rows, ({ x }) => o.reduceProd(x!, [1]))).x).toEqual([12, 8, 6, 12, 0, 0, 0, 0, 0]);
  });
});

describe("rounding", () => {
  it("Round has gradient 0, or 1 on request", async () => {
    expect((await gradientAt(at(0.3, 1.7), ({ x }) => o.round(x!))).x).toEqual([0, 0]);
    expect((await gradientAt(at(0.3, 1.7), ({ x }) => o.round(x!), { rounding: "straight-through" })).x).toEqual([1, 1]);
  });

  // x / s = 0.6, 1.6, -1.3, 300, -200 with s = 0.5 in int8: LSQ's scale gradient is q - x / s inside, the bound outside
  const points: Points = { x: { shape: [5], values: [0.3, 0.8, -0.65, 150, -100] }, s: { shape: [], values: [0.5] } };
  const fakeQuantise = ({ x, s }: Readonly<Record<string, Value>>, graph: Graph) => {
    const zero = graph.constant(tensor("int8", [], [0]));
    return o.dequantizeLinear(o.quantizeLinear(x!, s!, zero), s!, zero);
  };

  it("quantisation is straight-through inside the representable range and trains its scale as LSQ does", async () => {
    const d = await gradientAt(points, fakeQuantise);
    expect(d.x).toEqual([1, 1, 1, 0, 0]);
    expect(d.s![0]).toBeCloseTo(1 - 0.6 + (2 - 1.6) + (-1 + 1.3) + 127 - 128, 4);
  });

  it("quantisation has gradient 0 on request", async () => {
    const d = await gradientAt(points, fakeQuantise, { rounding: "zero" });
    expect(d.x).toEqual([0, 0, 0, 0, 0]);
    expect(d.s![0]).toBe(1 + 2 - 1 + 127 - 128);
  });

  it("an integer that a cast made carries no gradient, whatever is computed with it", async () => {
    const d = await gradientAt(at(1.3, 2.7), ({ x }) => {
      const whole = o.cast(x!, "int32");
      return o.mul(o.cast(o.mul(whole, o.add(whole, 1)), "float32"), x!);
    });
    expect(d.x).toEqual([2, 6]);
  });
});

describe("element types", () => {
  it.each([
    ["float64", "float64"],
    ["float16", "float32"],
  ] as const)("gradients of %s are computed in %s", async (type, inside) => {
    const graph = new Graph();
    const x = graph.input("x", type, [2]);
    const y = o.mul(o.erf(o.sqrt(o.pow(x, 3))), o.leakyRelu(o.sub(o.clip(x, 0, 1), 0.2)));
    const [dx] = gradients(y, [x]);
    expect(dx!.type).toBe(type);
    for (const node of graph.nodes) {
      if (node.operator.name === "Cast") continue;
      const types = [...node.inputs, ...node.outputs].flatMap((v) => (v && isFloat(v.type) ? [v.type] : []));
      if (types.length === 0) continue;
      expect(new Set(types), node.operator.name).toEqual(new Set([node.sweep ? inside : type]));
    }
  });

  it("float64 gradients run in float64", async () => {
    const d = await gradientAt({ x: { shape: [2], values: [0.5, 1.5], type: "float64" } }, ({ x }) => o.tanh(o.pow(x!, 3)));
    d.x!.forEach((v, i) => {
      const x = [0.5, 1.5][i]!;
      expect(v).toBeCloseTo(3 * x * x * (1 - Math.tanh(x ** 3) ** 2), 12);
    });
  });
});

describe("errors name the operator and the shapes", () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [2, 3, 4, 4]);
  const v = graph.input("v", "float32", [3]);
  const w = graph.input("w", "float32", [5, 6]);
  it.each([
    [
      () => o.matMul(x, w),
      /MatMul: the columns of A must match the rows of B \(inputs: A float32\[2, 3, 4, 4\], B float32\[5, 6\]\)/,
    ],
    [() => o.gemm(w, w), /Gemm: the columns of A/],
    [() => o.einsum("ij,jk->ik", w, w), /Einsum: equation "ij,jk->ik": "j" stands for sizes 6 and 5/],
    [() => o.einsum("ij->iz", w), /"z" of the result occurs in no term/],
    [() => o.einsum("i->i", w), /does not fit an input of rank 2/],
    [() => o.softmax(x, 4), /Softmax: axis 4 is outside a tensor of rank 4/],
    [() => o.batchNormalization(x, v, v, v, w), /BatchNormalization: scale, B, input_mean and input_var must be \[3\]/],
    [() => o.layerNormalization(x, v), /LayerNormalization: the shapes cannot be broadcast/],
    [() => o.reduceSum(x, [7]), /ReduceSum: axis 7 is outside/],
    [() => o.where(x, x, x), /Where: its condition must be bool/],
    [() => o.clip(x, v), /Clip: its bounds must be scalars/],
    [() => o.add(x, o.cast(v, "float64")), /Add: all inputs must have one element type/],
  ])("%#", (build, message) => {
    expect(build).toThrow(message);
  });
});
