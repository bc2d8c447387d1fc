import { describe, expect, test } from "vitest";
import { Graph } from "../../engine/graph/graph.js";
import { relu } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { tensor, toNumbers } from "../../engine/tensor/tensor.js";
import {
  constant,
  defaultBias,
  defaultWeight,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  truncatedNormal,
  xavierNormal,
  xavierUniform,
  zeros,
} from "./initializers.js";
import { conv2d } from "./layers/convolution.js";
import { linear } from "./layers/linear.js";
import { declarations, initialState, type Network, networkModel } from "./model.js";
import { asConstants, asInitialized, asInputs, Parameters } from "./scope.js";

describe("initializers", () => {
  const draw = (initialize: Initializer, shape: readonly number[]) => Array.from(initialize(shape, new Random(7, "test")));
  const deviation = (values: readonly number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
  const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));
  const weight = [64, 32, 3, 3]; // fan in 288, fan out 576

  test.each([
    ["PyTorch's default weight", defaultWeight, 1 / Math.sqrt(288)],
    ["PyTorch's default bias", defaultBias([10, 288]), 1 / Math.sqrt(288)],
    ["Kaiming uniform", kaimingUniform(), Math.sqrt(6 / 288)],
    ["Xavier uniform", xavierUniform, Math.sqrt(6 / (288 + 576))],
  ])("%s: uniform with the right bound", (_, initialize, bound) => {
    const values = draw(initialize, weight);
    expect(largest(values)).toBeLessThanOrEqual(bound);
    expect(largest(values)).toBeGreaterThan(0.999 * bound);
    expect(deviation(values)).toBeCloseTo(bound / Math.sqrt(3), 3);
  });

  test.each([
    ["Kaiming normal, fan in", kaimingNormal(), Math.sqrt(2 / 288)],
    ["Kaiming normal, fan out", kaimingNormal("out"), Math.sqrt(2 / 576)],
    ["Xavier normal", xavierNormal, Math.sqrt(2 / (288 + 576))],
    ["truncated normal, bounds far away", truncatedNormal(0.02), 0.02],
  ])("%s: normal with the right deviation", (_, initialize, expected) => {
    const values = draw(initialize, weight);
    expect(deviation(values) / expected).toBeCloseTo(1, 1);
    expect(largest(values)).toBeGreaterThan(3 * expected);
  });

  test("a truncated normal stays within its bounds", () => {
    const values = draw(truncatedNormal(1, -0.5, 0.25), [1000]);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.5);
    expect(Math.max(...values)).toBeLessThanOrEqual(0.25);
  });
});

const twoLayers: Network = (p, x) => conv2d(p.at("head", 0), relu(conv2d(p.at("body"), x!, { out: 4, kernel: 3 })), { out: 1 });
const inputs = { image: [1, 2, 5, 5] };

describe("scope", () => {
  test("declarations bear PyTorch's names and shapes", () => {
    expect([...declarations(twoLayers, inputs)].map(([name, d]) => [name, d.shape])).toEqual([
      ["body.weight", [4, 2, 3, 3]],
      ["body.bias", [4]],
      ["head.0.weight", [1, 4, 1, 1]],
      ["head.0.bias", [1]],
    ]);
  });

  test("a first value depends on seed and name, not on the order or on other parameters", () => {
    const other: Network = (p, x) => conv2d(p.at("body"), conv2d(p.at("before"), x!, { out: 2 }), { out: 4, kernel: 3 });
    const [a, b] = [initialState(twoLayers, inputs, 1), initialState(other, inputs, 1)];
    expect(toNumbers(a.get("body.weight")!)).toEqual(toNumbers(b.get("body.weight")!));
    expect(toNumbers(initialState(twoLayers, inputs, 2).get("body.weight")!)).not.toEqual(toNumbers(a.get("body.weight")!));
    const graph = new Graph();
    const parameters = new Parameters(graph, asInitialized(1));
    twoLayers(parameters.scope, graph.input("x", "float32", inputs.image));
    expect(parameters.values.get("body.weight")!.constant).toEqual(a.get("body.weight"));
  });

  test("a shared module is one set of parameters", () => {
    const graph = new Graph();
    const parameters = new Parameters(graph, asInputs);
    const x = graph.input("x", "float32", [2, 3]);
    const twice = linear(parameters.scope.at("shared"), linear(parameters.scope.at("shared"), x, { out: 3 }), { out: 3 });
    expect(twice.shape).toEqual([2, 3]);
    expect(graph.inputs.map((v) => v.name)).toEqual(["x", "shared.weight", "shared.bias"]);
  });

  test("one name with two shapes, or as parameter and buffer, is an error", () => {
    const { scope } = new Parameters(new Graph(), asInputs);
    scope.at("a").parameter("weight", [2], zeros);
    expect(() => scope.at("a").parameter("weight", [3], zeros)).toThrow(
      /"a\.weight" is used as a parameter of shape \[2\] and as a parameter of shape \[3\]/,
    );
    expect(() => scope.at("a").buffer("weight", [2], zeros)).toThrow(/as a buffer/);
  });

  test("only buffers are updated, once, and to their own shape", () => {
    const { scope } = new Parameters(new Graph(), asInputs, "training");
    const weight = scope.parameter("weight", [2], zeros);
    scope.buffer("mean", [2], zeros);
    expect(() => scope.update("weight", weight)).toThrow(/"weight" is none/);
    scope.update("mean", weight);
    expect(() => scope.update("mean", weight)).toThrow(/updated twice/);
    scope.buffer("other", [3], zeros);
    expect(() => scope.update("other", weight)).toThrow(/"other" is float32\[3\], but its update is float32\[2\]/);
  });

  test("a missing or misshapen constant is named", () => {
    const { scope } = new Parameters(new Graph(), asConstants(new Map([["weight", tensor("float32", [2])]])));
    expect(() => scope.parameter("weight", [3], constant(1))).toThrow(
      /needs "weight" as float32\[3\], but float32\[2\] was given/,
    );
    expect(() => scope.parameter("bias", [3], constant(1))).toThrow(/needs "bias".*nothing of that name was given/);
  });

  test("a checkpoint that does not fit is refused with all its faults", () => {
    const state = initialState(twoLayers, inputs, 1);
    state.delete("head.0.bias");
    state.set("extra.weight", tensor("float32", [1]));
    expect(() => networkModel(twoLayers, state, inputs)).toThrow(/"head\.0\.bias".*missing.*"extra\.weight"/s);
  });
});
