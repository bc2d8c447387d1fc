import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainGatedNetwork } from "../../../examples/train-new-network.js";
import { createEngine, type Engine, tensor } from "../../index.js";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

it.each(["new-network", "train-new-network"])("docs/adding-a-network.md shows %s.ts as it is", (name) => {
  const code = read(`examples/${name}.ts`).replace('"../src/index.js"', '"faultline"');
  expect(read("docs/adding-a-network.md")).toContain(code);
});

it("the network of the guide learns, and is an ONNX model", async () => {
  const { losses, model } = await trainGatedNetwork(engine, 60);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  expect(mean(losses.slice(-10))).toBeLessThan(0.6 * losses[0]!);
  const program = await engine.compile(model);
  const { output } = await program.run({ image: tensor("float32", [1, 3, 48, 48]) });
  expect(output!.shape).toEqual([1, 3, 48, 48]);
  program.dispose();
});
