import { describe, expect, it } from "vitest";
import { type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { freshCopies } from "./fresh-copies.js";
import type { Layer, Parameter } from "./layer.js";
import { interpolated, keepingStatistics, onShareOfChannels, type SchemeName, schemeSource } from "./resets.js";

function parameter(
  name: string,
  role: Parameter["role"],
  layout: Parameter["layout"],
  shape: number[],
  transposed = false,
): Parameter {
  const size = shape.reduce((a, b) => a * b, 1);
  const trained = tensor(
    "float32",
    shape,
    Array.from({ length: size }, (_, i) => Math.sin(i + 1) + 0.5),
  );
  return { name, role, layout, trained, inFile: { name, transposed } };
}

const layer = (name: string, kind: Layer["kind"], parameters: Parameter[]): Layer => ({
  name,
  kind,
  stage: name,
  parameters,
  reads: [name],
  applications: 1,
});

const conv = layer("conv", "convolution", [
  parameter("conv.weight", "weight", "convolution", [64, 32, 3, 3]),
  parameter("conv.bias", "bias", "per channel", [64]),
]);
const fc = layer("fc", "linear", [
  parameter("fc.weight", "weight", "in-out", [400, 50], true),
  parameter("fc.bias", "bias", "per channel", [50]),
]);
const bn = layer("bn", "batch normalization", [
  parameter("bn.weight", "weight", "per channel", [8]),
  parameter("bn.bias", "bias", "per channel", [8]),
  parameter("bn.running_mean", "mean", "per channel", [8]),
  parameter("bn.running_var", "variance", "per channel", [8]),
]);

const values = (scheme: SchemeName, of: Layer, i: number, trial = 0) =>
  toNumbers(schemeSource(scheme, 0)(of, trial).get(of.parameters[i]!.name)!);
const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;
const deviation = (v: readonly number[]) => {
  const center = mean(v);
  return Math.sqrt(mean(v.map((x) => (x - center) ** 2)));
};

describe("schemes", () => {
  it("framework: convolutions normal with √(2 / fan_out), linear layers uniform in ±1/√fan_in, normalizations 1 and 0", () => {
    expect(deviation(values("framework", conv, 0))).toBeCloseTo(Math.sqrt(2 / (64 * 9)), 3);
    const weights = values("framework", fc, 0);
    expect(Math.max(...weights.map(Math.abs))).toBeLessThanOrEqual(1 / 20);
    expect(deviation(weights)).toBeCloseTo(1 / 20 / Math.sqrt(3), 3);
    expect(Math.max(...values("framework", fc, 1).map(Math.abs))).toBeLessThanOrEqual(1 / 20);
    expect(bn.parameters.map((_, i) => values("framework", bn, i)[0])).toEqual([1, 0, 0, 1]);
  });

  it.each([
    ["kaiming-uniform", Math.sqrt(6 / (32 * 9)) / Math.sqrt(3)],
    ["xavier-uniform", Math.sqrt(6 / (96 * 9)) / Math.sqrt(3)],
    ["pytorch", 1 / Math.sqrt(32 * 9) / Math.sqrt(3)],
    ["truncated-normal", 0.02],
    ["zeros", 0],
  ] as const)("%s has its deviation", (scheme, expected) => {
    expect(Math.abs(deviation(values(scheme, conv, 0)) - expected)).toBeLessThan(0.02 * expected + 1e-12);
  });

  it("permutation keeps the values, gaussian their mean and deviation", () => {
    const trained = toNumbers(conv.parameters[0]!.trained);
    const shuffled = values("permutation", conv, 0);
    expect(shuffled).not.toEqual(trained);
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(trained.toSorted((a, b) => a - b));
    const drawn = values("gaussian", conv, 0);
    expect(mean(drawn)).toBeCloseTo(mean(trained), 1);
    expect(deviation(drawn)).toBeCloseTo(deviation(trained), 1);
  });

  it("depend on seed and trial alone", () => {
    expect(values("framework", conv, 0)).toEqual(values("framework", conv, 0));
    expect(values("framework", conv, 0, 1)).not.toEqual(values("framework", conv, 0, 0));
    expect(toNumbers(schemeSource("framework", 1)(conv, 0).get("conv.weight")!)).not.toEqual(values("framework", conv, 0));
  });

  it("zeros, permutation and gaussian leave running statistics, and so does keepingStatistics", () => {
    for (const scheme of ["zeros", "permutation", "gaussian"] as const)
      expect([...schemeSource(scheme, 0)(bn, 0).keys()]).toEqual(["bn.weight", "bn.bias"]);
    expect([...keepingStatistics(schemeSource("framework", 0))(bn, 0).keys()]).toEqual(["bn.weight", "bn.bias"]);
  });
});

describe("partial resets", () => {
  it("change the same share of channels in every tensor", () => {
    const reset = onShareOfChannels(schemeSource("zeros", 0), 0.25, 0)(fc, 0);
    const weight = toNumbers(reset.get("fc.weight")!);
    const bias = toNumbers(reset.get("fc.bias")!);
    const zeroed = bias.flatMap((v, c) => (v === 0 ? [c] : []));
    expect(zeroed).toHaveLength(Math.round(0.25 * 50));
    weight.forEach((v, i) => expect(v === 0).toBe(zeroed.includes(i % 50)));
  });

  it("interpolate: 0 is the trained value bit for bit, 1 the reset", () => {
    const source = schemeSource("framework", 0);
    expect(interpolated(source, 0)(conv, 0).get("conv.weight")!.data).toEqual(conv.parameters[0]!.trained.data);
    expect(interpolated(source, 1)(conv, 0).get("conv.weight")!.data).toEqual(source(conv, 0).get("conv.weight")!.data);
    const half = toNumbers(interpolated(source, 0.5)(conv, 0).get("conv.weight")!);
    expect(half[7]).toBeCloseTo(0.5 * toNumbers(conv.parameters[0]!.trained)[7]! + 0.5 * values("framework", conv, 0)[7]!, 6);
  });

  it("refuse shares and ways that are none", () => {
    expect(() => onShareOfChannels(schemeSource("zeros", 0), 0, 0)).toThrow(/above 0/);
    expect(() => interpolated(schemeSource("zeros", 0), 1.5)).toThrow(/from 0 to 1/);
  });
});

describe("fresh copies", () => {
  const state = new Map<string, Tensor>([
    [
      "fc.weight",
      tensor(
        "float32",
        [50, 400],
        Array.from({ length: 20000 }, (_, i) => i),
      ),
    ],
    ["fc.bias", tensor("float32", [50])],
  ]);

  it("are transposed where the model holds the transpose", () => {
    const weight = freshCopies([{ name: "copy.pth", state }])(fc, 0).get("fc.weight")!;
    expect(weight.shape).toEqual([400, 50]);
    expect(weight.data[1]).toBe(400);
    expect(weight.data[50]).toBe(1);
  });

  it("say which tensor is missing or has another shape", () => {
    expect(() => freshCopies([{ name: "copy.pth", state }])(conv, 0)).toThrow(
      'copy.pth has no tensor "conv.weight" for layer conv',
    );
    const small = new Map([...state, ["fc.weight", tensor("float32", [2, 2])] as const]);
    expect(() => freshCopies([{ name: "copy.pth", state: small }])(fc, 0)).toThrow(
      /the weight of layer fc is float32\[2, 2\] there/,
    );
    expect(() => freshCopies([{ name: "copy.pth", state }])(fc, 1)).toThrow(/trial 1 has none/);
  });
});
