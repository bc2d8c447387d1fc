import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gradientGraph } from "../src/engine/autodiff/gradient-graph.js";
import { lower } from "../src/engine/compile/lower.js";
import { specialize } from "../src/engine/compile/specialize.js";
import { parseModel } from "../src/engine/onnx/read.js";
import { parseSafetensors } from "../src/engine/tensor/safetensors.js";
import { type Shape, sizeOf, tensor, toNumbers } from "../src/engine/tensor/tensor.js";
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

describe("gradients of quantized files", () => {
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

/** File, phase of x = sin(1.7 i + phase), norm of d.x and its first elements, for v = cos(0.9 i + 0.2). */
const small: readonly (readonly [string, number, number, readonly number[]])[] = [
  ["c4", 0.1, 91.8496, [-2.8769, -6.1689, 9.8563, 5.6523, -5.1711, 7.2989]],
  ["c4_gather", 0.7, 197.6196, [4.8158, 2.0742, -0.9529, -7.0208, -7.7755, -2.6459]],
  ["dynamic_quantised_conv", 0.2, 57.574, [0.7182, 0.6529, -2.1198, -3.2882, -1.9682, 0.8413]],
  ["dynamic_quantised_matmul", 0.1, 2.393, [0.2395, -0.3023, 2.0973, -0.2722, 0.3942, -0.3438]],
  ["q8_gather2", 0.1, 2.1728, [0, 0, 0, 0, 0.1891, 0.4412]],
  ["q8_split", 0.1, 2.8539, [0.9801, 0.4536, -0.4161, -0.971, -0.791, -0.0124]],
  ["qdq_uint16", 0.1, 2.1126, [0.9801, 0.4536, -0.4161, -0.971, -0.791, -0.0124]],
  ["qoperator_maxpool", 0.1, 2.1126, [0, 0.9801, 0.4536, 0, 0, 0]],
];

describe("small quantized files that went wrong once", () => {
  const gradientAt = async (name: string, phase: number, form: "plain" | "rewritten") => {
    const file = new Uint8Array(readFileSync(new URL(`../fixtures/cases/engine/quantised/${name}.onnx`, import.meta.url)));
    const graph = await specialize(parseModel(file), {}, (constants) => runModel(constants, {}));
    const [x, y] = [graph.inputs[0]!, [...graph.outputs.values()][0]!];
    const series = (shape: Shape, at: (i: number) => number) =>
      tensor(
        "float32",
        shape,
        Array.from({ length: sizeOf(shape) }, (_, i) => at(i)),
      );
    const gradient = gradientGraph(graph);
    const feeds = {
      x: series(x.shape, (i) => Math.sin(1.7 * i + phase)),
      "v.y": series(y.shape, (i) => Math.cos(0.9 * i + 0.2)),
    };
    return toNumbers((await runModel(form === "plain" ? gradient : lower(gradient, "cpu"), feeds, "disabled"))["d.x"]!);
  };

  describe.each(["plain", "rewritten"] as const)("%s", (form) => {
    it.each(small)("%s", async (name, phase, size, first) => {
      const dx = await gradientAt(name, phase, form);
      expect(norm(dx)).toBeCloseTo(size, 2);
      first.forEach((v, i) => expect(dx[i]).toBeCloseTo(v, 3));
    });

    // their sums saturate on some processors, so that a mask of Relu may differ
    it.each([
      ["c2_matmulinteger", "c2_fp32"],
      ["c2_convinteger", "c2_conv32"],
    ])("%s has a gradient of the size of %s", async (quantized, float) => {
      const ratio = norm(await gradientAt(quantized, 0.4, form)) / norm(await gradientAt(float, 0.4, form));
      expect(ratio).toBeGreaterThan(0.5);
      expect(ratio).toBeLessThan(2);
    });
  });
});
