import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { vectorJacobianProduct } from "../../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import { transpose } from "../../../engine/operators/index.js";
import { parseSafetensors } from "../../../engine/tensor/safetensors.js";
import { type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../../engine/testing/run-model.js";
import { asapPool, flcPool, freqAvgUp } from "./index.js";
import { type ResamplingCase, resamplingOf } from "./testing/golden.js";

// PyTorch's numbers (float64, rounded); the whole set where it is present, the part in fixtures/ otherwise.
const whole = new URL("../../../../../shared/golden/systems/resampling/", import.meta.url);
const root = existsSync(whole) ? whole : new URL("../../../../fixtures/golden/resampling/", import.meta.url);

const load = (file: string) => parseSafetensors(readFileSync(new URL(file, root))).tensors;
const files = (JSON.parse(readFileSync(new URL("manifest.json", root), "utf8")) as { files: ResamplingCase[] }).files.filter(
  (f) => existsSync(new URL(f.file, root)),
);
const cases = files.filter((f) => f.operator !== "aliasing" && f.file !== "freq_avg_up/constant.safetensors");

/** The largest difference, relative to the largest magnitude of the reference. */
function difference(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  return Math.max(...a.map((v, i) => Math.abs(v - e[i]!))) / Math.max(...e.map(Math.abs), 1e-30);
}

describe.each(cases.map((c) => [c.file, c] as const))("%s", (_, entry) => {
  test.each(checkedLevels)("output and all gradients, optimization %s", async (level) => {
    const expected = load(entry.file);
    const graph = new Graph();
    const given = [...expected.keys()].filter((name) => expected.has(`grad.${name}`));
    const inputs = new Map(given.map((name) => [name, graph.input(name, "float32", expected.get(name)!.shape)]));
    const y = resamplingOf(entry, inputs);
    const cotangent = graph.input("cotangent", "float32", expected.get("cotangent")!.shape);
    graph.output("output", y);
    vectorJacobianProduct([{ of: y, cotangent }], [...inputs.values()]).forEach((g, i) => graph.output(`grad.${given[i]}`, g!));
    const feeds = Object.fromEntries([...given, "cotangent"].map((name) => [name, expected.get(name)!]));
    const results = await runModel(graph.build(), feeds, level);
    const compared = ["output", ...given.map((name) => `grad.${name}`)];
    expect(compared.length).toBeGreaterThan(1);
    const wrong = compared
      .map((name) => [name, difference(results[name]!, expected.get(name)!)] as const)
      .filter(([, d]) => !(d < 1e-5));
    expect(wrong).toEqual([]);
  });
});

async function evaluate(input: Tensor, operator: (x: Value) => Value): Promise<Tensor> {
  const graph = new Graph();
  graph.output("y", operator(graph.input("x", "float32", input.shape)));
  return (await runModel(graph.build(), { x: input })).y!;
}

describe.each(cases.filter((c) => c.operator === "asap_pooling").map((c) => [c.file] as const))(
  "%s as the code has it",
  (file) => {
    const expected = load(file);
    test.each([
      ["output_pad_one", (x: Value) => asapPool(x, { convention: "pad-one" })],
      ["output_pad_large", (x: Value) => asapPool(x, { convention: "pad-large" })],
      ["output_as_published_transposed", (x: Value) => asapPool(x, { convention: "as-published" })],
      ["output_as_published_transposed", (x: Value) => transpose(asapPool(x), [0, 1, 3, 2])],
    ] as const)("%s", async (name, operator) => {
      expect(difference(await evaluate(expected.get("input")!, operator), expected.get(name)!)).toBeLessThan(1e-5);
    });
  },
);

test("constants: FLC keeps them at every size, FreqAvgUp makes a checkerboard of them only as published", async () => {
  const odd = load("flc_pooling/not_multiple_of_4_1x2x10x14.safetensors");
  const ones = tensor("float32", [1, 1, 10, 14], new Float32Array(140).fill(1));
  expect(difference(await evaluate(ones, (x) => flcPool(x)), odd.get("constant_corrected")!)).toBeLessThan(1e-6);
  const up = load("freq_avg_up/constant.safetensors");
  for (const convention of ["corrected", "as-published"] as const) {
    const low = await evaluate(up.get("input")!, (x) => freqAvgUp(x, x.graph.constant(tensor("float32", [1], [0])), convention));
    expect(difference(low, up.get(convention)!)).toBeLessThan(1e-6);
  }
});
