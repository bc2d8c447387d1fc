import { afterAll, beforeAll, expect, it } from "vitest";
import type { Engine } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { tasks } from "../../../vision/tasks/index.js";
import type { TaskName } from "../../../vision/tasks/names.js";
import { pcfa } from "../catalogue/index.js";
import { checkAttack, compileAttack } from "../definition.js";
import { smallBatch, smallModel } from "../testing/small-model.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const bound = 0.02;

async function towardsZero(task: TaskName, more: object = {}) {
  const model = { ...smallModel(task), goal: "targeted" as const };
  const given = smallBatch(task);
  const zero = tensor("float32", given.target.shape, new Float32Array(given.target.data.length));
  const batch = { ...given, target: zero };
  const compiled = await compileAttack(engine, pcfa({ bound, steps: 6, ...more }), model);
  const outcome = await compiled.run(batch);
  compiled.dispose();
  return { outcome, batch };
}

it.each([
  ["flow", { steps: 20 }],
  ["flow", { lineSearch: "strong-wolfe", box: "clipping" }],
  ["flow", { box: "clipping", frames: "joint" }],
  ["flow", { lineSearch: "strong-wolfe" }],
  ["disparity", {}],
  ["depth", {}],
  ["restoration", {}],
] as const)("%s %j: nearer to the target, within the bound and in [0, 1]", async (task, more) => {
  const { outcome, batch } = await towardsZero(task, more);
  for (let b = 0; b < 2; b++) {
    let [squares, n] = [0, 0];
    for (const [role, image] of Object.entries(outcome.images)) {
      const size = image.data.length / 2;
      for (let i = b * size; i < (b + 1) * size; i++) {
        expect(image.data[i]! >= 0 && image.data[i]! <= 1).toBe(true);
        squares += (image.data[i]! - batch.images[role]!.data[i]!) ** 2;
      }
      n += size;
    }
    expect(Math.sqrt(squares / n)).toBeLessThanOrEqual(bound * 1.0001);
    expect(outcome.found!.delta_2![b]).toBeCloseTo(Math.sqrt(squares / n), 5);
    // Without a line search, as published, no step may be within the bound and better: then the image is left alone.
    const found = "lineSearch" in more || task !== "flow";
    if (found) expect(outcome.loss[b]!).toBeLessThan(outcome.clean.loss[b]!);
    else expect(outcome.loss[b]!).toBeLessThanOrEqual(outcome.clean.loss[b]! + 1e-6);
    if (found) expect(outcome.found!["distance to the clean prediction"]![b]!).toBeGreaterThan(0);
  }
});

it("one perturbation for both images is one", async () => {
  const { outcome, batch } = await towardsZero("flow", { box: "clipping", frames: "joint" });
  const delta = (role: string) =>
    (outcome.images[role] as Tensor<"float32">).data.map((v, i) => v - batch.images[role]!.data[i]!);
  const [first, second] = [delta("image1"), delta("image2")];
  first.forEach((d, i) => {
    expect(Math.abs(d - second[i]!)).toBeLessThan(1e-6);
  });
});

it("is refused where there is no target, and no number to drive", async () => {
  await expect(checkAttack(pcfa(), { task: tasks.flow, goal: "untargeted" })).rejects.toThrow("name one with --target");
  await expect(checkAttack(pcfa(), { task: tasks.segmentation, goal: "targeted" })).rejects.toThrow("and segmentation has none");
});
