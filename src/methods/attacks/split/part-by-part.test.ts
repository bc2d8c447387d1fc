import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { tasks } from "../../../vision/tasks/index.js";
import type { AttackedModel } from "../attacked-model.js";
import type { AttackBatch, TraceStep } from "../batch.js";
import { attacks } from "../catalogue/index.js";
import { type Attack, compileAttack } from "../definition.js";
import { smallModel } from "../testing/small-model.js";
import { transforms } from "../transforms/index.js";

const [height, width] = [8, 10];
const batch = 5;

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

/** A model that takes so many images at a time, at a batch of five. */
function attackedModel(task: "classification" | "flow" | "segmentation", own: number): AttackedModel {
  const { predictor, ...attacked } = smallModel(task);
  const images = Object.fromEntries(tasks[task].roles.map((role) => [role, [own, 3, height, width]]));
  return { ...attacked, predictor: { ...predictor, images }, ...(own !== batch && { batch }), valid: task !== "classification" };
}

const drawn = (shape: Shape, value: (i: number) => number): Tensor<"float32"> =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i)),
  );

function batchOf(task: "classification" | "flow" | "segmentation"): AttackBatch {
  const random = new Random(3, task);
  const pixels = task === "classification" ? [batch] : [batch, height, width];
  return {
    images: Object.fromEntries(
      tasks[task].roles.map((role) => [role, drawn([batch, 3, height, width], () => random.integer(256) / 255)]),
    ),
    target:
      task === "flow"
        ? drawn([batch, 2, height, width], () => random.uniform(-1, 1))
        : tensor(
            "int64",
            pixels,
            Array.from({ length: sizeOf(pixels) }, () => random.integer(4)),
          ),
    ...(task !== "classification" && { valid: drawn([batch, height, width], (i) => (i % 7 === 0 ? 0 : 1)) }),
    samples: ["a", "b", "c", "d", "e"],
    seed: 4,
  };
}

async function traced(attack: Attack, attacked: AttackedModel, given: AttackBatch) {
  const compiled = await compileAttack(engine, attack, attacked);
  const steps: TraceStep[] = [];
  const outcome = await compiled.run(given, { onTrace: (step) => void steps.push(step) });
  const prediction = await compiled.predict(given.images);
  compiled.dispose();
  return { steps, outcome, prediction };
}

describe.each([
  ["pgd", "untargeted", attacks.pgd({ norm: "l_2", epsilon: 0.5, steps: 3 })],
  ["mi-fgsm, towards a target", "targeted", attacks["mi-fgsm"]({ norm: "l_inf", epsilon: 0.03, steps: 3 })],
  ["cospgd, whose loss is a sum over the batch", "untargeted", attacks.cospgd({ norm: "l_2", epsilon: 0.5, steps: 3 })],
  ["apgd", "untargeted", attacks.apgd({ norm: "l_2", epsilon: 0.5, steps: 4, restarts: 2 })],
] as const)("%s", (_, goal, attack) => {
  it.each(["classification", "segmentation", "flow"] as const)("%s: a batch in parts is the batch", async (task) => {
    const given = batchOf(task);
    const whole = await traced(attack, { ...attackedModel(task, batch), goal }, given);
    for (const own of [1, 2, 8]) {
      const parts = await traced(attack, { ...attackedModel(task, own), goal }, given);
      expect(parts.steps.length).toBe(whole.steps.length);
      parts.steps.forEach((step, t) => {
        const other = whole.steps[t]!;
        for (const [role, gradient] of Object.entries(step.gradient)) near(gradient, other.gradient[role]!, `${role} at ${t}`);
        near(step.weight, other.weight, `weight at ${t}`);
        near(
          drawn([batch], (i) => step.loss[i]!),
          drawn([batch], (i) => other.loss[i]!),
          `loss at ${t}`,
        );
      });
      for (const [role, image] of Object.entries(parts.outcome.images))
        near(image, whole.outcome.images[role]!, `result, ${role}`);
      near(parts.prediction, whole.prediction, "prediction");
      expect(parts.outcome.correct).toEqual(whole.outcome.correct);
    }
  });
});

it("goes with random transforms", async () => {
  const attack = attacks.pgd({ norm: "l_2", epsilon: 0.5, steps: 2 });
  const given = batchOf("segmentation");
  const transform = transforms["gaussian-noise"](2);
  const [whole, parts] = [
    await traced(attack, { ...attackedModel("segmentation", batch), transform }, given),
    await traced(attack, { ...attackedModel("segmentation", 2), transform }, given),
  ];
  near(parts.steps[1]!.gradient.image!, whole.steps[1]!.gradient.image!, "gradient");
  near(parts.outcome.images.image!, whole.outcome.images.image!, "result");
});

it("refuses a mask that it was not compiled for", async () => {
  const attack = attacks.pgd({ norm: "l_2", epsilon: 0.5, steps: 1 });
  const given = batchOf("segmentation");
  const compiled = await compileAttack(engine, attack, { ...attackedModel("segmentation", 1), valid: false });
  await expect(compiled.run(given)).rejects.toThrow(/mask "valid"/);
  compiled.dispose();
});

function near(found: Tensor, wanted: Tensor, what: string): void {
  expect(found.shape, what).toEqual(wanted.shape);
  const [a, b] = [found.data as Float32Array, wanted.data as Float32Array];
  const scale = Math.max(1e-6, ...b.map(Math.abs));
  expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!))), what).toBeLessThanOrEqual(2e-4 * scale);
}
