import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gradientGraph } from "../src/engine/autodiff/gradient-graph.js";
import { lower } from "../src/engine/compile/lower.js";
import { specialize } from "../src/engine/compile/specialize.js";
import { parseModel } from "../src/engine/onnx/read.js";
import { parseSafetensors } from "../src/engine/tensor/safetensors.js";
import { toNumbers } from "../src/engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../src/engine/testing/run-model.js";

const folder = new URL("../fixtures/golden/quantized/", import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const cases: readonly { readonly name: string; readonly network: string }[] = JSON.parse(
  readFileSync(new URL("manifest.json", folder), "utf8"),
);

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
const norm = (a: readonly number[]) => Math.sqrt(dot(a, a));
const relative = (a: readonly number[], b: readonly number[]) => norm(a.map((v, i) => v - b[i]!)) / norm(b);

/** y and d.x of a file at a golden case's point, in every form in which a gradient is run. */
async function* gradientsOf(file: string, point: string) {
  const stored = parseSafetensors(read(`${point}.safetensors`)).tensors;
  const model = await specialize(parseModel(read(`${file}.onnx`)), {}, (constants) => runModel(constants, {}));
  const gradient = gradientGraph(model);
  for (const level of checkedLevels) {
    for (const [form, written] of [
      ["plain", gradient],
      ["rewritten", lower(gradient, "cpu")],
    ] as const) {
      const results = await runModel(written, { x: stored.get("x")!, "v.y": stored.get("v.y")! }, level);
      yield { how: `${level}, ${form}`, y: toNumbers(results.y!), dx: toNumbers(results["d.x"]!) };
    }
  }
}

describe("gradients of quantised files", () => {
  it.each(cases)("$name", async ({ name, network }) => {
    const stored = parseSafetensors(read(`${name}.safetensors`)).tensors;
    const [y, dx] = ["y", "d.x"].map((key) => toNumbers(stored.get(key!)!)) as [number[], number[]];
    // a whole step where the file computes with integers and we with their real numbers, whose sums round at another place
    const step = name.includes("qoperator") ? 2e-2 : 1e-4;
    for await (const found of gradientsOf(name, name)) {
      expect.soft(relative(found.y, y), `y, ${found.how}`).toBeLessThan(step);
      expect.soft(relative(found.dx, dx), `d.x, ${found.how}`).toBeLessThan(1e-3);
    }
    for await (const float of gradientsOf(`${network}.float`, name)) {
      expect
        .soft(dot(float.dx, dx) / norm(float.dx) / norm(dx), `cosine with the float model, ${float.how}`)
        .toBeGreaterThan(0.9);
      break;
    }
  });
});
