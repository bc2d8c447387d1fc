import { describe, expect, it } from "vitest";
import { differences, twinDifferences } from "../testing/original-case.js";
import { checkedLevels } from "../testing/run-model.js";
import { originals } from "./original-cases.js";

const named = originals.map((original) => [original.name, original] as const);

describe.each(checkedLevels)("operators that are taken apart compute what ONNX Runtime's own do, optimization %s", (level) => {
  it.each(named)("%s", async (_, original) => {
    expect(await differences(original, level)).toEqual([]);
  });
});

/** Operators that stay one node, for which ONNX Runtime 1.30 has no CPU kernel in a type. */
const withoutKernel: Readonly<Record<"float16" | "float64", readonly string[]>> = {
  float16: [],
  float64: ["AveragePool", "Col2Im", "GRU", "LSTM", "LpPool", "MaxUnpool", "Resize", "RNN", "STFT", "com.microsoft.FusedConv"],
};

/** By its specification in float32 only; so is whatever yields whole numbers. */
const inOtherTypes = named.filter(
  ([, { operator, outputs = ["float32"] }]) =>
    operator !== "com.microsoft.DynamicQuantizeMatMul" && outputs.some((type) => type?.startsWith("float")),
);

describe.each([
  ["float16", 2e-2],
  ["float64", 1e-4],
] as const)("in %s they agree with their float32 twins, as they are and rewritten, at both levels", (type, tolerance) => {
  it.each(inOtherTypes)("%s", async (_, original) => {
    const lines = await twinDifferences(original, type, tolerance);
    if (!lines) expect(withoutKernel[type]).toContain(original.operator);
    else expect(lines).toEqual([]);
  });
});
