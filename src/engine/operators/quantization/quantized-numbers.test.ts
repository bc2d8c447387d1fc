import { expect, it } from "vitest";
import { gradients } from "../../autodiff/gradients.js";
import { lower } from "../../compile/lower.js";
import { Graph, type Value } from "../../graph/graph.js";
import { Random } from "../../tensor/random.js";
import { type DataType, type Shape, sizeOf, tensor, toNumbers } from "../../tensor/tensor.js";
import { checkedLevels, runModel } from "../../testing/run-model.js";
import { allCases } from "../cases.js";
import * as o from "../index.js";

/**
 * What moves, picks and pools quantized numbers has the gradient that it has on the real numbers they stand for: DequantizeLinear(f(q)) has
 * the gradient of f(DequantizeLinear(q)). `c` makes a constant of the type at hand, given as multiples of the scale above the zero point.
 */
type Function = (x: Value, c: (shape: Shape, steps: readonly number[]) => Value) => Value;

const indices = (x: Value, shape: Shape, values: readonly number[]) => x.graph.constant(tensor("int64", shape, values));

const mask = (x: Value) => x.graph.constant(tensor("bool", [4], [1, 0, 1, 1]));

const functions: Readonly<Record<string, Function>> = {
  MaxPool: (x) => o.maxPool(x, [2, 2], { strides: [2, 2] }),
  "MaxPool with its indices read": (x) => o.maxPoolWithIndices(x, [2, 2], { pads: [1, 1, 0, 0] }).values,
  Gather: (x) => o.gather(x, indices(x, [3], [1, 1, 3]), 2),
  GatherElements: (x) => o.gatherElements(x, indices(x, [1, 2, 1, 4], [0, 1, 2, 3, 3, 2, 1, 0]), 2),
  GatherND: (x) => o.gatherND(x, indices(x, [2, 3], [0, 1, 2, 0, 0, 3])),
  ScatterElements: (x, c) => o.scatterElements(x, indices(x, [1, 1, 1, 2], [1, 3]), c([1, 1, 1, 2], [7, -9]), 3),
  ScatterND: (x, c) => o.scatterND(x, indices(x, [1, 2], [0, 1]), c([1, 4, 4], Array(16).fill(5))),
  Split: (x) => o.split(x, 1, [1, 1])[0]!,
  Concat: (x, c) => o.concat([x, c([1, 1, 4, 4], Array(16).fill(3)), x], 1),
  Pad: (x, c) => o.pad(x, [0, 0, 1, 0, 0, 0, 0, 2], "constant", c([], [4])),
  "Pad by reflection": (x) => o.pad(x, [0, 0, 1, 0, 0, 0, 0, 2], "reflect"),
  Slice: (x) => o.slice(x, [3], [0], { axes: [2], steps: [-2] }),
  "Resize, nearest": (x) => o.resize(x, { scales: [1, 1, 2, 1.5] }),
  Transpose: (x) => o.transpose(x, [0, 3, 1, 2]),
  Reshape: (x) => o.reshape(x, [4, 8]),
  Flatten: (x) => o.flatten(x, 2),
  Squeeze: (x) => o.squeeze(x, [0]),
  Unsqueeze: (x) => o.unsqueeze(x, [2]),
  Identity: (x) => o.identity(x),
  Tile: (x) => o.tile(x, [1, 2, 1, 1]),
  Expand: (x) => o.expand(o.slice(x, [0], [1], { axes: [1] }), [2, 3, 4, 4]),
  DepthToSpace: (x) => o.depthToSpace(o.reshape(x, [1, 8, 2, 2]), 2),
  Where: (x, c) => o.where(mask(x), x, c([], [-6])),
  Clip: (x, c) => o.clip(x, c([], [-20]), c([], [15])),
  Max: (x, c) => o.max(x, c([1, 1, 1, 4], [3, -3, 10, 0])),
  Min: (x, c) => o.min(x, c([1, 1, 1, 4], [3, -3, 10, 0]), c([], [8])),
  ReduceMax: (x) => o.reduceMax(x, [2]),
  ReduceMin: (x) => o.reduceMin(x, [1, 3], "keep"),
  "Cast to int32 and back": (x) => (x.type === "float32" ? x : o.cast(o.cast(x, "int32"), x.type)),
};

const values = Array.from({ length: 32 }, (_, i) => Math.sin(2.3 * i) + 0.01 * i);

it.each(
  Object.entries(functions).flatMap(([name, f]) =>
    // ONNX Runtime has no Where of int8
    (name === "Where" ? (["uint8"] as const) : (["uint8", "int8"] as const)).map((type): [string, DataType, Function] => [
      name,
      type,
      f,
    ]),
  ),
)("%s of %s", async (_, type, f) => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [1, 2, 4, 4]);
  const point = type === "uint8" ? 110 : -7;
  const scale = graph.constant(tensor("float32", [], [0.02]));
  const zero = graph.constant(tensor(type, [], [point]));
  const q = o.quantizeLinear(x, scale, zero);
  const stored = f(q, (shape, steps) =>
    graph.constant(
      tensor(
        type,
        shape,
        steps.map((s) => s + point),
      ),
    ),
  );
  const real = f(o.dequantizeLinear(q, scale, zero), (shape, steps) =>
    graph.constant(
      tensor(
        "float32",
        shape,
        steps.map((s) => s * 0.02),
      ),
    ),
  );
  const forms = { stored: o.dequantizeLinear(stored, scale, zero), real };
  const random = new Random(1, "v");
  const v = Array.from({ length: sizeOf(real.shape) }, () => random.normal());
  for (const [name, y] of Object.entries(forms)) {
    graph.output(`y.${name}`, y);
    graph.output(`d.${name}`, gradients(o.mul(y, graph.constant(tensor("float32", y.shape, v))), [x])[0]!);
  }
  for (const level of checkedLevels) {
    for (const form of [graph, lower(graph, "cpu")]) {
      const results = await runModel(form, { x: tensor("float32", x.shape, values) }, level);
      const numbers = (name: string) => toNumbers(results[name]!).map((n) => Math.round(n * 1e4) / 1e4 + 0);
      expect(numbers("y.stored")).toEqual(numbers("y.real"));
      expect(numbers("d.stored")).toEqual(numbers("d.real"));
      expect(numbers("d.stored").some((n) => n !== 0)).toBe(true);
    }
  }
});

/** On processors without VNNI, ONNX Runtime's products of uint8 and int8 saturate beyond this (docs/operators.md). */
const sevenBits = 64;

it("no operator case depends on the processor: int8 weights of integer products have 7 bits", () => {
  for (const test of allCases) {
    const graph = new Graph();
    const inputs = Object.entries(test.inputs).map(([name, { shape }]) => [name, graph.input(name, "float32", shape)] as const);
    test.build(Object.fromEntries(inputs), graph);
    for (const { operator, inputs } of graph.nodes) {
      if (!/Integer$/.test(operator.name)) continue;
      for (const v of inputs) {
        if (v?.type !== "int8") continue;
        expect(v.constant, `${test.name}: int8 operands are constants here`).toBeDefined();
        expect(Math.max(...toNumbers(v.constant!).map(Math.abs)), test.name).toBeLessThanOrEqual(sevenBits);
      }
    }
  }
});

it("QLinearReduceMean, of which ONNX Runtime has the definition but no kernel, is the quantized mean", async () => {
  const graph = new Graph();
  const constant = (type: DataType, value: number) => graph.constant(tensor(type, [], [value]));
  const x = graph.input("x", "float32", [2, 3, 4]);
  const [s, z] = [constant("float32", 0.01), constant("uint8", 120)];
  const operator = o.findOperator("QLinearReduceMean", "com.microsoft")!;
  for (const [i, attributes] of [{ axes: [1, -1], keepdims: 0 }, { axes: [2] }, {}].entries()) {
    const [q] = graph.add(operator, [o.quantizeLinear(x, s, z), s, z, s, z], attributes);
    const y = o.dequantizeLinear(q!, s, z);
    graph.output(`y${i}`, y);
    graph.output(`d${i}`, gradients(y, [x])[0]!);
  }
  const results = await runModel(graph, { x: tensor("float32", x.shape, values.slice(0, 24)) });
  expect([0, 1, 2].map((i) => results[`y${i}`]!.shape)).toEqual([[2], [2, 3, 1], [1, 1, 1]]);
  const means = [0, 12].map((at) => values.slice(at, at + 12).reduce((sum, v) => sum + v, 0) / 12);
  toNumbers(results.y0!).forEach((v, i) => expect(Math.abs(v - means[i]!)).toBeLessThan(0.011));
  expect([0, 1, 2].map((i) => toNumbers(results[`d${i}`]!)[7]!.toFixed(4))).toEqual(["0.0833", "0.2500", "0.0417"]);
});
