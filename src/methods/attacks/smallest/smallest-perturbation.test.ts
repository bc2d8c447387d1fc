import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import type { Engine } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import { Random } from "../../../engine/tensor/random.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { tasks } from "../../../vision/tasks/index.js";
import { taskNames } from "../../../vision/tasks/names.js";
import type { Goal } from "../attacked-model.js";
import type { AttackBatch } from "../batch.js";
import { attacks } from "../catalogue/index.js";
import {
  type Attack,
  type AttackDefinition,
  attackOf,
  type CompiledAttack,
  checkAttack,
  compileAttack,
  ownParameters,
  type Parameters,
} from "../definition.js";
import type { NormName } from "../lengths.js";
import { lengths } from "../lengths.js";
import { leftHalf, smallBatch, smallModel } from "../testing/small-model.js";

const goals: readonly Goal[] = ["untargeted", "targeted"];
const smallest = Object.values<AttackDefinition>(attacks).filter(({ seeks }) => seeks === "smallest perturbation");

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

/** An attack with those of the parameters that it has. */
const having = (definition: AttackDefinition, parameters: Parameters): Attack =>
  attackOf(definition, ownParameters(definition, parameters));

describe.each(taskNames)("the smallest perturbation, %s", (task) => {
  const dense = tasks[task].extent === "pixels" && { successShare: 0.9, firstRadius: 1, firstConstant: 10, learningRate: 0.1 };
  // FMN by its paper may stand still between two borders.
  const few = { steps: 50, constants: 5, firstRadius: 0.2, growth: "steady", ...dense };
  const normsOf = ({ parameters }: AttackDefinition) =>
    (parameters.shape.norm as z.ZodDefault<z.ZodEnum>).unwrap().options as NormName[];
  const cases = smallest.flatMap((definition) =>
    normsOf(definition).flatMap((norm) => goals.map((goal) => [definition.name, norm, goal, definition] as const)),
  );
  it.each(cases)("%s, %s, %s", async (name, norm, goal, definition) => {
    const attacked = { ...smallModel(task), goal };
    // Number by number takes longer.
    const quick = { ...few, ...(norm === "l_0" && { steps: 150 }) };
    const attack = having(definition, { norm, ...quick });
    const refusal = await checkAttack(attack, { task: attacked.task, goal }).then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (refusal !== undefined) {
      await expect(compileAttack(engine, attack, attacked)).rejects.toThrow(refusal);
      return;
    }
    const compiled = await compileAttack(engine, attack, attacked);
    const batch = await rightBatch(compiled, task, goal);
    const [outcome, again] = [await compiled.run(batch), await compiled.run(batch)];
    const { radius } = outcome.found as { radius: Float32Array };
    expect(outcome.images.image!.data, "the same bits again").toEqual(again.images.image!.data);
    const [image, clean] = [outcome.images.image!, batch.images.image!];
    expect(image.data.every((v) => v >= 0 && v <= 1)).toBe(true);
    // What it says of its own images is what the model says of them.
    const judged = await compiled.evaluate(batch, outcome.images);
    expect(judged.correct).toEqual(outcome.correct);
    const left = (correct: number, b: number) =>
      goal === "targeted" ? 0.899 - correct : correct - 0.101 * outcome.clean.correct[b]!;
    const n = image.data.length / 2;
    const measured = (b: number) =>
      lengths[norm](Float64Array.from({ length: n }, (_, i) => image.data[b * n + i]! - clean.data[b * n + i]!));
    let found = 0;
    for (const b of [0, 1]) {
      const what = `${name}, sample ${b}`;
      if (Number.isNaN(radius[b]!)) {
        expect(measured(b), what).toBe(0);
        continue;
      }
      found++;
      expect(radius[b]!, what).toBeGreaterThan(0);
      expect(Math.abs(measured(b) - radius[b]!), what).toBeLessThan(1e-5 * radius[b]!);
      expect(left(outcome.correct[b]!, b), what).toBeLessThanOrEqual(0);
    }
    expect(found, "samples broken").toBe(2);
    // Noise of the same size does not do it.
    for (let draw = 0; draw < 5; draw++) {
      const random = new Random(draw, name);
      const noisy = clean.data.map((v, i) => {
        const size = { l_inf: 1, l_2: Math.sqrt(n / 3), l_1: n / 2, l_0: n }[norm];
        const step = norm === "l_0" ? Number(random.uniform(0, 1) < radius[i < n ? 0 : 1]! / n) : radius[i < n ? 0 : 1]! / size;
        return Math.min(1, Math.max(0, v + step * random.uniform(-1, 1)));
      });
      const { correct } = await compiled.evaluate(batch, { image: tensor("float32", clean.shape, noisy) });
      for (const b of [0, 1]) expect(left(correct[b]!, b), `${name}, sample ${b}: noise`).toBeGreaterThan(0);
    }
    compiled.dispose();
    // A radius beyond which an image counts as not broken: the first image's own leaves the nearer ones.
    const least = Math.min(...radius);
    const near = await compileAttack(engine, having(definition, { norm, ...quick, epsilon: least * 1.0001 }), attacked);
    const limited = await near.run(batch);
    near.dispose();
    (limited.found!.radius as Float32Array).forEach((r, b) => {
      if (!(radius[b]! > least * 1.0001)) expect(r).toBe(radius[b]);
      else if (Number.isNaN(r)) expect(limited.correct[b]).toBe(outcome.clean.correct[b]);
    });
  });
});

it.each(smallest.map((definition) => [definition.name, definition] as const))(
  "%s leaves an image that is wrong already as it is, and changes nothing outside the region",
  async (_, definition) => {
    const attacked = { ...smallModel("classification"), region: true };
    const compiled = await compileAttack(engine, having(definition, { steps: 20, constants: 3 }), attacked);
    const right = await rightBatch(compiled, "classification", "untargeted");
    const labels = Array.from(right.target.data as BigInt64Array, Number);
    const batch = { ...right, target: tensor("int64", [2], [labels[0]!, (labels[1]! + 1) % 4]), region: leftHalf };
    const { images, found, correct } = await compiled.run(batch);
    compiled.dispose();
    expect(found!.radius![1]).toBe(0);
    expect(correct[1]).toBe(0);
    images.image!.data.forEach((v, i) => {
      if (i >= 240 || i % 10 >= 5) expect(v).toBe(batch.images.image!.data[i]);
    });
  },
);

it.each([
  ["fab", "l_inf"],
  ["fmn", "l_2"],
  ["fmn", "l_1"],
  ["ddn", "l_2"],
] as const)("%s, %s, on the 8-bit grid: what is found is a file's image, as large as it says, and wrong", async (name, norm) => {
  const attacked = smallModel("classification");
  const compiled = await compileAttack(
    engine,
    having(attacks[name], { norm, steps: 50, grid: "8-bit", growth: "steady" }),
    attacked,
  );
  const batch = await rightBatch(compiled, "classification", "untargeted");
  const { images, found, correct } = await compiled.run(batch);
  compiled.dispose();
  const [image, clean] = [images.image!.data, batch.images.image!.data];
  expect(image.every((v) => Math.abs(v * 255 - Math.round(v * 255)) < 1e-3)).toBe(true);
  for (const b of [0, 1]) {
    const n = image.length / 2;
    const delta = Float64Array.from({ length: n }, (_, i) => image[b * n + i]! - clean[b * n + i]!);
    expect(found!.radius![b]).toBeCloseTo(lengths[norm](delta), 5);
    expect(found!.radius![b]).toBeGreaterThan(0);
    expect(correct[b]).toBe(0);
  }
});

/** The small batch with the model's own prediction as truth, or the second best class to drive towards. */
async function rightBatch(compiled: CompiledAttack, task: keyof typeof tasks, goal: Goal): Promise<AttackBatch> {
  const batch = smallBatch(task);
  const { data, shape } = await compiled.predict(batch.images);
  const [b, classes, ...place] = shape as [number, number, ...number[]];
  const area = place.reduce((a, v) => a * v, 1);
  const labels = Array.from({ length: b * area }, (_, at) => {
    const logit = (k: number) => data[(Math.floor(at / area) * classes + k) * area + (at % area)]!;
    const order = Array.from({ length: classes }, (_, k) => k).sort((k, l) => logit(l) - logit(k));
    return order[goal === "untargeted" ? 0 : 1]!;
  });
  return { ...batch, target: tensor("int64", [b, ...place], labels) };
}
