import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import { transpose } from "../../../engine/operators/index.js";
import { parseSafetensors } from "../../../engine/tensor/safetensors.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../../engine/testing/run-model.js";
import { asapPool, flcPool, freqAvgUp } from "./index.js";
import { compareResampling, difference, type ResamplingCase } from "./testing/golden.js";

// PyTorch's numbers (float64, rounded); the whole set where it is present, the part in fixtures/ otherwise.
const whole = new URL("../../../../../shared/golden/systems/resampling/", import.meta.url);
const root = existsSync(whole) ? whole : new URL("../../../../fixtures/golden/resampling/", import.meta.url);

const load = (file: string) => parseSafetensors(readFileSync(new URL(file, root))).tensors;
const files = (JSON.parse(readFileSync(new URL("manifest.json", root), "utf8")) as { files: ResamplingCase[] }).files.filter(
  (f) => existsSync(new URL(f.file, root)),
);
const cases = files.filter((f) => f.operator !== "aliasing" && f.file !== "freq_avg_up/constant.safetensors");

describe.each(cases.map((c) => [c.file, c] as const))("%s", (_, entry) => {
  test.each(checkedLevels)("output and all gradients, optimization %s", async (level) => {
    const deviations = await compareResampling(entry, load(entry.file), (graph, feeds) => runModel(graph, feeds, level));
    expect(deviations.length).toBeGreaterThan(1);
    expect(deviations.filter(({ error }) => !(error < 1e-5))).toEqual([]);
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
