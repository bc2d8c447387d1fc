import { describe, expect, it } from "vitest";
import type { Operator } from "../graph/operator.js";
import { checkDirectional, compareWithTwin } from "../testing/operator-case.js";
import { checkedLevels } from "../testing/run-model.js";
import { allCases } from "./cases.js";
import { conversionCases } from "./forms/cases.js";
import { operatorFamilies } from "./index.js";
import { originals } from "./original-cases.js";

/** Operators for which ONNX Runtime 1.30 has no CPU kernel in a type, at least for one of their cases: the model itself does not run. */
const withoutKernel: Readonly<Record<"float16" | "float64", readonly string[]>> = {
  float16: [
    "ConvInteger",
    "Celu",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "MatMulInteger",
    "QuantizeLinear",
    "Range",
    "ScatterElements",
    "ScatterND",
  ],
  float64: [
    "ConvInteger",
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "AveragePool",
    "Celu",
    "Col2Im",
    "Conv",
    "ConvTranspose",
    "Cosh",
    "DequantizeLinear",
    "Det",
    "DynamicQuantizeLinear",
    "Elu",
    "Erf",
    "GlobalAveragePool",
    "GlobalLpPool",
    "GlobalMaxPool",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "InstanceNormalization",
    "LRN",
    "LpPool",
    "MatMulInteger",
    "MaxPool",
    "MaxUnpool",
    "Mean",
    "MeanVarianceNormalization",
    "OneHot",
    "QuantizeLinear",
    "Resize",
    "Selu",
    "Sinh",
    "Softsign",
    "Tan",
    "ThresholdedRelu",
    "com.microsoft.BiasSplitGelu",
    "com.microsoft.GroupNorm",
    "com.microsoft.NhwcConv",
    "com.microsoft.NhwcFusedConv",
    "com.microsoft.SkipGroupNorm",
  ],
};

/** What takes float64 and computes in float32, in which differences of small steps drown. */
const float32Inside = [
  "Shrink",
  "Shrink: 0.9, 0.2",
  "LayerNormalization: all three outputs",
  "DequantizeLinear: scale per tensor",
  "DequantizeLinear: scale per channel",
];

/** 16-bit numbers pass between the parts these are written out in, which are float32 whatever the type: float16 ends at 2048. */
const float32Parts = ["QuantizeLinear: uint16, per tensor", "QuantizeLinear: int16, along axis 1"];

const named = allCases.map((test) => [test.name, test] as const);

describe.each(checkedLevels)("gradients against finite differences, optimization %s", (level) => {
  it.each(named)("%s", async (_, test) => {
    const { finiteDifference, gradient, allowed } = (await checkDirectional(test, level))!;
    expect(Number.isFinite(gradient)).toBe(true);
    expect(Math.abs(finiteDifference - gradient)).toBeLessThanOrEqual(allowed);
  });
});

describe("gradients against finite differences in float64", () => {
  it.each(named.filter(([name]) => !float32Inside.includes(name)))("%s", async (_, test) => {
    const result = await checkDirectional(test, "all", { type: "float64" });
    if (!result) return expect(withoutKernel.float64).toContain(test.operator);
    expect(Math.abs(result.finiteDifference - result.gradient)).toBeLessThanOrEqual(result.allowed);
  });
});

describe.each([
  ["float16", 2e-2],
  ["float64", 1e-4],
] as const)(
  "results and gradients in %s against the float32 twin, as they are and rewritten, at both levels",
  (type, tolerance) => {
    it.each(named.filter(([name]) => !float32Parts.includes(name)))("%s", async (_, test) => {
      const deviations = await compareWithTwin(test, type);
      if (!deviations) return expect(withoutKernel[type]).toContain(test.operator);
      for (const { what, error } of deviations) expect.soft(error, what).toBeLessThanOrEqual(tolerance);
    });
  },
);

it("every operator with a gradient rule, or that is taken apart, has a case", () => {
  const title = ({ domain, name }: Pick<Operator, "domain" | "name">) => (domain === "" ? name : `${domain}.${name}`);
  const read = conversionCases.flatMap(({ nodes }) => nodes.map(({ domain, op }) => title({ domain, name: op })));
  // it has no kernel on the CPU and yields whole numbers: quantized-numbers.test.ts; its values are stairs: dynamic-quantize-lstm.test.ts
  const elsewhere = ["com.microsoft.QLinearReduceMean", "com.microsoft.DynamicQuantizeLSTM"];
  const tested = new Set([...[...allCases, ...originals].map((test) => test.operator), ...read, ...elsewhere]);
  const differentiable = Object.values<Readonly<Record<string, Operator>>>(operatorFamilies)
    .flatMap((family) => Object.values(family))
    .filter((operator) => typeof operator.gradient === "function" || operator.decompose);
  expect(differentiable.map(title).filter((name) => !tested.has(name))).toEqual([]);
});
