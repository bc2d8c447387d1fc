import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { vectorJacobianProduct } from "../../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../../engine/testing/run-model.js";
import { asConstants, asInputs, type Mode, Parameters, type Scope } from "../scope.js";
import { multiHeadAttention } from "./attention.js";
import { batchNorm2d } from "./batch-norm.js";
import { conv2d, convTranspose2d } from "./convolution.js";
import { groupNorm } from "./group-norm.js";
import { layerNorm } from "./layer-norm.js";
import { adaptiveAveragePool2d, localAveragePool2d } from "./pooling.js";
import { warp } from "./warp.js";

const reference: Record<string, number[]> = JSON.parse(
  readFileSync(new URL("../../../../fixtures/golden/networks/layers.json", import.meta.url), "utf8"),
);

/** sin(frequency · i + phase), as in the reference. */
const wave = (shape: Shape, frequency = 0.7, phase = 0): Tensor =>
  tensor(
    "float32",
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * frequency + phase)),
  );
const absolute = (t: Tensor): Tensor => tensor("float32", t.shape, toNumbers(t).map(Math.abs));

const affine = (channels: number) => ({ weight: wave([channels], 1.3, 0.5), bias: wave([channels], 0.9, 0.2) });

async function run(
  layer: (p: Scope, x: Value) => Value,
  input: Tensor,
  state: Record<string, Tensor>,
  mode: Mode = "evaluation",
): Promise<Record<string, Tensor>> {
  const graph = new Graph();
  const x = graph.input("x", "float32", input.shape);
  const parameters = new Parameters(graph, asConstants(new Map(Object.entries(state))), mode);
  graph.output("y", layer(parameters.scope, x));
  for (const [name, update] of parameters.updates) graph.output(name, update);
  return runModel(graph, { x: input });
}

function expectClose(actual: Tensor | undefined, expected: readonly number[] | undefined): void {
  const numbers = toNumbers(actual!);
  expect(numbers.length).toBe(expected!.length);
  numbers.forEach((v, i) => {
    expect(v).toBeCloseTo(expected![i]!, 4);
  });
}

describe("layers agree with PyTorch", () => {
  const statistics = { running_mean: wave([3], 0.4, 0.1), running_var: absolute(wave([3], 0.3, 1)) };

  test("batch normalization in evaluation", async () => {
    const { y, ...updates } = await run((p, x) => batchNorm2d(p, x), wave([2, 3, 2, 2]), { ...affine(3), ...statistics });
    expectClose(y, reference.bn_eval);
    expect(updates).toEqual({});
  });

  test.each(checkedLevels)(
    "batch normalization in training, with gradients and running statistics, optimization %s",
    async (level) => {
      const graph = new Graph();
      const x = graph.input("x", "float32", [2, 3, 2, 2]);
      const parameters = new Parameters(graph, asInputs, "training");
      const y = batchNorm2d(parameters.scope, x);
      const cotangent = graph.constant(wave([2, 3, 2, 2], 0.37, 0.3));
      expect([...parameters.trainable.keys()]).toEqual(["weight", "bias"]);
      const [dx, dw, db] = vectorJacobianProduct([{ of: y, cotangent }], [x, ...parameters.trainable.values()]);
      for (const [name, value] of Object.entries({ y, dx, dw, db })) graph.output(name, value!);
      for (const [name, update] of parameters.updates) graph.output(`next.${name}`, update);
      const results = await runModel(graph, { x: wave([2, 3, 2, 2]), ...affine(3), ...statistics }, level);
      expectClose(results.y, reference.bn_train);
      expectClose(results.dx, reference.bn_dx);
      expectClose(results.dw, reference.bn_dw);
      expectClose(results.db, reference.bn_db);
      expectClose(results["next.running_mean"], reference.bn_mean);
      expectClose(results["next.running_var"], reference.bn_var);
    },
  );

  test("group normalization", async () => {
    expectClose((await run((p, x) => groupNorm(p, x, 2), wave([2, 4, 2, 2]), affine(4))).y, reference.gn);
  });

  test("layer normalization", async () => {
    expectClose((await run((p, x) => layerNorm(p, x, 1e-6), wave([2, 1, 3]), affine(3))).y, reference.gelu_ln);
  });

  test("multi-head attention", async () => {
    const state = {
      "qkv.weight": wave([12, 4], 0.31, 0.2),
      "qkv.bias": wave([12], 0.5, 0.1),
      "proj.weight": wave([4, 4], 0.41, 0.3),
      "proj.bias": wave([4], 0.6, 0.4),
    };
    expectClose((await run((p, x) => multiHeadAttention(p, x, 2), wave([2, 3, 4]), state)).y, reference.mha);
  });

  test("transposed convolution", async () => {
    const options = { out: 4, kernel: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2 };
    const state = { weight: wave([2, 2, 3, 3], 0.31, 0.2), bias: wave([4], 0.5, 0.1) };
    expectClose((await run((p, x) => convTranspose2d(p, x, options), wave([1, 2, 2, 3]), state)).y, reference.convt);
  });

  test("warping by a flow", async () => {
    const flow = wave([1, 2, 3, 4], 0.9, 0.3);
    expectClose((await run((p, x) => warp(x, p.graph.constant(flow)), wave([1, 2, 3, 4]), {})).y, reference.warp);
  });

  test("adaptive average pooling where regions overlap", async () => {
    expectClose((await run((_, x) => adaptiveAveragePool2d(x, 3), wave([1, 1, 5, 7]), {})).y, reference.adaptive);
  });
});

test("a default padding keeps the size at stride 1, whatever the dilation", () => {
  const graph = new Graph();
  const p = new Parameters(graph, asInputs).scope;
  const x = graph.input("x", "float32", [1, 2, 9, 7]);
  expect(conv2d(p.at("a"), x, { out: 3, kernel: 5, dilation: 2 }).shape).toEqual([1, 3, 9, 7]);
  expect(conv2d(p.at("b"), x, { out: 3, kernel: 3, stride: 2 }).shape).toEqual([1, 3, 5, 4]);
});

test("the local mean is the mean of its window, repeated at the border", async () => {
  const image = wave([1, 1, 5, 4]);
  const pixels = toNumbers(image);
  const { y } = await run((_, x) => localAveragePool2d(x, [3, 8]), image, {});
  const rowMean = (row: number) => pixels.slice(row * 4, row * 4 + 4).reduce((a, b) => a + b) / 4;
  const expected = [0, 0, 1, 2, 2].flatMap((top) =>
    Array.from({ length: 4 }, () => (rowMean(top) + rowMean(top + 1) + rowMean(top + 2)) / 3),
  );
  expectClose(y, expected);
});
