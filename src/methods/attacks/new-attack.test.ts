import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { waveringPgd } from "../../../examples/new-attack.js";
import { createEngine, type Engine, norms, type PixelFunction, relu, sub, tasks } from "../../index.js";
import { attacks } from "./catalogue/index.js";
import { compileAttack } from "./compile-attack.js";
import { smallBatch, smallSite } from "./testing/small-site.js";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

it("docs/adding-an-attack.md shows the example as it is", () => {
  expect(read("docs/adding-an-attack.md")).toContain(read("examples/new-attack.ts").replace('"../src/index.js"', '"faultline"'));
});

it.each(["segmentation", "flow", "classification"] as const)("the attack of the guide raises the loss in %s", async (task) => {
  const compiled = await compileAttack(engine, waveringPgd({ norm: norms.l_2, epsilon: 0.4, steps: 8 }), smallSite(task));
  const { loss, clean } = await compiled.run(smallBatch(task));
  compiled.dispose();
  loss.forEach((l, i) => {
    expect(l).toBeGreaterThan(clean.loss[i]!);
  });
});

it("the loss of the guide is one function", async () => {
  const forgiving: PixelFunction = (prediction, target, options) =>
    relu(sub(tasks.flow.losses.l2!(prediction, target, options), 1));
  const attack = attacks.pgd({ norm: norms.l_2, epsilon: 1, loss: forgiving });
  const compiled = await compileAttack(engine, attack, smallSite("flow"));
  const { loss, clean } = await compiled.run(smallBatch("flow"));
  compiled.dispose();
  expect(loss[0]!).toBeGreaterThan(clean.loss[0]!);
});
