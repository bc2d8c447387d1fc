import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gradientGraph } from "../src/engine/autodiff/gradient-graph.js";
import { lower } from "../src/engine/compile/lower.js";
import { specialize } from "../src/engine/compile/specialize.js";
import type { Graph } from "../src/engine/graph/graph.js";
import { readModel } from "../src/engine/onnx/read-file.js";
import { Random } from "../src/engine/tensor/random.js";
import { sizeOf, type Tensor, tensor, toNumbers } from "../src/engine/tensor/tensor.js";
import { inType, retyped } from "../src/engine/testing/retyped.js";
import { checkedLevels, runModel } from "../src/engine/testing/run-model.js";

const folder = new URL("../fixtures/cases/engine/float16/", import.meta.url);
const files = readdirSync(folder).filter((f) => f.endsWith(".onnx") && !f.endsWith(".float32.onnx"));

const read = async (file: string): Promise<Graph> => {
  const model = await readModel(new URL(file, folder).pathname);
  const shapes = Object.fromEntries(model.graph.inputs.map((i) => [i.name, i.shape as number[]]));
  return specialize(model, shapes, (constants) => runModel(constants, {}), { keep: "nothing" });
};

/** The same graph in float32: a file of its own, or the file with another type. */
const twinOf = async (file: string): Promise<Graph> => {
  const own = file.replace(".onnx", ".float32.onnx");
  if (readdirSync(folder).includes(own)) return read(own);
  return retyped(await read(file), "float32", "float16").graph;
};

/** Outputs and gradients, with the model's input drawn at random and rounded to float16. */
async function results(model: Graph, level: (typeof checkedLevels)[number]): Promise<Record<string, Tensor>> {
  const random = new Random(3, "float16");
  const feeds = model.inputs.map((input): [string, Tensor] => {
    const { shape } = input;
    const values = tensor(
      "float16",
      shape,
      Array.from({ length: sizeOf(shape) }, () => random.normal()),
    );
    return [input.name, inType(values, input.type)];
  });
  return runModel(model, Object.fromEntries(feeds), level);
}

describe("gradients of float16 models are those of their float32 twins", () => {
  it.each(files)("%s", async (file) => {
    const tolerance = file.startsWith("bfloat16") ? 1e-1 : 2e-2;
    const expected = await results(gradientGraph(await twinOf(file)), "disabled");
    expect(Math.hypot(...toNumbers(expected["d.x"]!))).toBeGreaterThan(0);
    const model = gradientGraph(await read(file));
    for (const variant of [model, lower(model, "cpu")]) {
      for (const level of checkedLevels) {
        const computed = await results(variant, level);
        for (const [name, t] of Object.entries(expected)) {
          const [a, b] = [toNumbers(computed[name]!), toNumbers(t)];
          expect(Math.hypot(...a.map((v, i) => v - b[i]!)), `${name} at ${level}`).toBeLessThanOrEqual(
            tolerance * Math.hypot(...b),
          );
        }
      }
    }
  });
});
