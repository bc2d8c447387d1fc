import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gradientModel } from "../src/engine/autodiff/gradient-model.js";
import { lower } from "../src/engine/compile/lower.js";
import { graphOf } from "../src/engine/compile/rewrite.js";
import { specialise } from "../src/engine/compile/specialise.js";
import type { OnnxModel } from "../src/engine/onnx/model.js";
import { readModel } from "../src/engine/onnx/read-file.js";
import { Random } from "../src/engine/tensor/random.js";
import { sizeOf, type Tensor, tensor, toNumbers } from "../src/engine/tensor/tensor.js";
import { inType, retyped } from "../src/engine/testing/retyped.js";
import { checkedLevels, runModel } from "../src/engine/testing/run-model.js";

const folder = new URL("../fixtures/cases/engine/float16/", import.meta.url);
const files = readdirSync(folder).filter((f) => f.endsWith(".onnx") && !f.endsWith(".float32.onnx"));

const read = async (file: string): Promise<OnnxModel> => {
  const model = await readModel(new URL(file, folder).pathname);
  const shapes = Object.fromEntries(model.graph.inputs.map((i) => [i.name, i.shape as number[]]));
  return specialise(model, shapes, (constants) => runModel(constants, {}), { keep: "nothing" });
};

/** The same graph in float32: a file of its own, or the file with another type. */
const twinOf = async (file: string): Promise<OnnxModel> => {
  const own = file.replace(".onnx", ".float32.onnx");
  if (readdirSync(folder).includes(own)) return read(own);
  return retyped(graphOf(await read(file)), "float32", "float16").graph.build();
};

/** Outputs and gradients, with the model's input drawn at random and rounded to float16. */
async function results(model: OnnxModel, level: (typeof checkedLevels)[number]): Promise<Record<string, Tensor>> {
  const random = new Random(3, "float16");
  const feeds = model.graph.inputs.map((input): [string, Tensor] => {
    const shape = input.shape as number[];
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
    const expected = await results(gradientModel(await twinOf(file)), "disabled");
    expect(Math.hypot(...toNumbers(expected["d.x"]!))).toBeGreaterThan(0);
    const model = gradientModel(await read(file));
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
