import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { sizeOf, type Tensor } from "../../engine/tensor/tensor.js";
import { tasks } from "../../vision/tasks/index.js";
import { taskNames } from "../../vision/tasks/names.js";
import type { Norm } from "./ascent/ascent.js";
import { stagesOf } from "./ascent/compile-ascent.js";
import type { AttackedModel, Goal } from "./attacked-model.js";
import type { AttackBatch } from "./batch.js";
import { attacks, ensemble, noise, sea } from "./catalogue/index.js";
import {
  type Attack,
  type AttackDefinition,
  ascentOf,
  ascentsOf,
  attackOf,
  checkAttack,
  compileAttack,
  fitAttack,
  ownParameters,
  type Parameters,
} from "./definition.js";
import { worstOf } from "./ensemble/worst-of.js";
import { AttackError } from "./error.js";
import { norms } from "./norms/index.js";
import type { AttackOutcome } from "./outcome.js";
import { leftHalf, smallBatch, smallModel } from "./testing/small-model.js";

const goals: readonly Goal[] = ["untargeted", "targeted"];
/** About equal room in each norm for the 240 numbers of a small image. */
const radius: Readonly<Record<Norm["name"], number>> = { l_inf: 8 / 255, l_2: 0.4, l_1: 5 };

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

async function run(attack: Attack, attacked: AttackedModel, batch: AttackBatch): Promise<AttackOutcome> {
  const lessons = { batch: async () => batch };
  const fitted = attack.definition.fit && (await fitAttack(engine, attack, attacked, lessons)).fitted;
  const compiled = await compileAttack(engine, attack, attacked, fitted);
  try {
    return await compiled.run(batch);
  } finally {
    compiled.dispose();
  }
}

/** What attacks may have in common; each takes of it what it has. */
const options = <const P extends Parameters>(norm: Norm["name"], more: P) => ({
  norm,
  epsilon: radius[norm],
  steps: 8,
  ...more,
});
/** Of attacks that see predictions alone: enough to beat noise on 240 numbers. */
const few = { queries: 200, change: 0.05, radius: radius.l_2, samples: 20, sigma: 0.01 };
/** Those that do what they can within a ball that is given; smallest-perturbation.test.ts, fitted.test.ts and pcfa.test.ts have the others. */
const inBall = Object.values<AttackDefinition>(attacks).filter(
  (definition) => definition.seeks === undefined && attackOf(definition, {}).budget.epsilon !== undefined,
);

/** These count pixels won, not loss: CosPGD's own loss falls as it wins them. */
const countsPixels: readonly string[] = ["apgd-cospgd", "apgd-segpgd", "ensemble", "sea"];

/** Whether an attack leaves images alone whose prediction is wrong: where predictions are right or wrong at all. */
const leaves = ({ until }: AttackDefinition, { task }: AttackedModel): boolean => until === "won" && task.judgedBy === "correct";

/** Whether an attack is for a task at all. */
async function suits(attack: Attack, { task, goal = "untargeted" }: AttackedModel): Promise<boolean> {
  try {
    await checkAttack(attack, { task, goal });
    return true;
  } catch (error) {
    if (error instanceof AttackError) return false;
    throw error;
  }
}

/** What attacks that have it by default take here: two neighbors are enough, and a kernel of 15 leaves nothing of 8x10 pixels. */
const small: Parameters = { variance: 2, translation: 3 };

/** Those of the parameters that an attack has. */
function fitting(definition: AttackDefinition, parameters: Parameters): Parameters {
  const usual = attackOf(definition, {}).parameters;
  const less = Object.fromEntries(Object.entries(small).filter(([name]) => usual[name] !== undefined));
  return ownParameters(definition, { ...parameters, ...less });
}

/** How far the mean loss has gone where the attack wants it. */
const gain = ({ loss }: AttackOutcome, goal: Goal): number =>
  (goal === "untargeted" ? 1 : -1) * loss.reduce((sum, v) => sum + v / loss.length, 0);

/** An attack with those of the parameters that it has. */
const having = (definition: AttackDefinition, parameters: Parameters): Attack =>
  attackOf(definition, fitting(definition, parameters));

describe.each(taskNames)("%s", (task) => {
  for (const norm of Object.keys(norms) as Norm["name"][]) {
    for (const goal of goals) {
      it(`${norm}, ${goal}: every attack stays in the ball and beats the best of five draws of noise`, async () => {
        const [attacked, batch] = [{ ...smallModel(task), goal }, smallBatch(task)];
        const baseline = await run(noise({ norm, epsilon: radius[norm], restarts: 5 }), attacked, batch);
        for (const definition of inBall) {
          const { name } = definition;
          const alignment = task === "disparity" && name !== "ensemble" ? { alignment: "residual" } : {};
          const own = fitting(definition, options(norm, { ...few, ...alignment }));
          // Some attacks are of some norms alone.
          if (!definition.parameters.safeParse(own).success) continue;
          const attack = attackOf(definition, own);
          if (attack.budget.norm !== norm || !(await suits(attack, attacked))) continue;
          const outcome = await run(attack, attacked, batch);
          const won = goal === "untargeted" ? 0 : 1;
          const alone = (b: number) =>
            attack.budget.epsilon === 0 || (leaves(definition, attacked) && outcome.clean.correct[b] === won);
          expectInside(outcome, batch, norm, name, alone);
          if (definition.follows === "nothing") continue;
          if (definition.fit) {
            // One for all: what counts is the mean.
            expect(gain(outcome, goal), name).toBeGreaterThan(gain(baseline, goal));
            continue;
          }
          for (let i = 0; i < outcome.loss.length; i++) {
            const sign = goal === "untargeted" ? 1 : -1;
            const what = `${name}, sample ${i}`;
            if (leaves(definition, attacked) && outcome.correct[i] === won) continue;
            if (countsPixels.includes(name))
              expect(sign * (outcome.correct[i]! - baseline.correct[i]!), what).toBeLessThanOrEqual(0);
            else
              expect(sign * (outcome.loss[i]! - outcome.clean.loss[i]!), what).toBeGreaterThan(
                Math.max(sign * (baseline.loss[i]! - outcome.clean.loss[i]!), 0),
              );
          }
        }
      });
    }
  }

  it("stays on the 8-bit grid and within the region, and gives the same bytes again", async () => {
    const attacked = { ...smallModel(task), region: true };
    const batch = smallBatch(task, { region: leftHalf });
    for (const definition of inBall) {
      const { name } = definition;
      const attack = having(definition, options("l_inf", { ...few, queries: 60, grid: "8-bit", steps: 2 }));
      if (!(await suits(attack, attacked))) continue;
      const [first, second] = [await run(attack, attacked, batch), await run(attack, attacked, batch)];
      const norm = attack.budget.norm as Norm["name"];
      const alone = (b: number) => attack.budget.epsilon === 0 || (leaves(definition, attacked) && first.clean.correct[b] === 0);
      expectInside(first, batch, norm, name, alone);
      for (const [role, image] of Object.entries(first.images)) {
        const clean = batch.images[role]!.data;
        image.data.forEach((v, i) => {
          const level = "grid" in definition.parameters.shape ? v * 255 : 0;
          expect(Math.abs(level - Math.round(level)), `${name}: grid`).toBeLessThan(1e-3);
          if (i % 10 >= 5) expect(v, `${name}: outside the region`).toBe(clean[i]);
        });
        expect(Buffer.from(image.data.buffer).equals(Buffer.from(second.images[role]!.data.buffer)), `${name}: again`).toBe(true);
      }
    }
  });

  it("ensemble: no member does worse to any sample", async () => {
    const [attacked, batch] = [smallModel(task), smallBatch(task)];
    const attack = ensemble(options("l_inf", { steps: 4 }));
    const members = ensemble.members!(attack.parameters, { task: attacked.task, goal: "untargeted" });
    const worst = await run(attack, attacked, batch);
    for (const member of members) {
      const own = await run(member, attacked, batch);
      own.correct.forEach((c, i) => {
        expect(worst.correct[i]!).toBeLessThanOrEqual(c);
      });
    }
  });
});

it("sea: each member is there by name, and no member does worse to any sample", async () => {
  const [attacked, batch] = [smallModel("segmentation"), smallBatch("segmentation")];
  for (const edition of ["2024", "2023"] as const) {
    const worst = await run(sea({ epsilon: radius.l_inf, steps: 8, edition }), attacked, batch);
    expect(worst.members!.map(({ name }) => name)).toEqual(
      edition === "2024"
        ? ["balanced-masked-cross-entropy", "masked-cross-entropy", "jensen-shannon"]
        : ["masked-cross-entropy", "apgd-segpgd", "jensen-shannon", "masked-spherical"],
    );
    worst.correct.forEach((c, i) => {
      expect(c).toBe(Math.min(...worst.members!.map(({ correct }) => correct[i]!)));
    });
  }
});

it("sea is refused where there are no classes for pixels", async () => {
  await expect(checkAttack(sea(), { task: tasks.flow, goal: "untargeted" })).rejects.toThrow(
    "sea is made of losses for one class per pixel (balanced-masked-cross-entropy among them), which flow does not have; take ensemble.",
  );
});

it("shrinking radii: larger balls first, 30, 30 and 40 % of the steps; the result lies in the ball", async () => {
  const stages = async (norm: Norm["name"], steps: number) => {
    const { budget } = await ascentOf(attacks.apgd({ norm, steps, epsilon: 1, radii: "shrinking" }));
    return stagesOf(budget.stages!, steps).map(({ radius, steps }) => [radius, steps]);
  };
  expect(await stages("l_inf", 300)).toEqual([
    [2, 90],
    [1.5, 90],
    [1, 120],
  ]);
  expect(await stages("l_2", 11)).toEqual([
    [2, 3],
    [1.5, 3],
    [1, 5],
  ]);
  expect(await stages("l_1", 11)).toEqual([
    [3, 4],
    [2, 4],
    [1, 3],
  ]);
  expect(await stages("l_inf", 2)).toEqual([[1, 2]]);
  const [attacked, batch] = [smallModel("segmentation"), smallBatch("segmentation")];
  for (const norm of Object.keys(norms) as Norm["name"][]) {
    const seen: number[] = [];
    const attack = attacks.apgd(options(norm, { radii: "shrinking", steps: 10 }));
    const compiled = await compileAttack(engine, attack, attacked);
    const outcome = await compiled.run(batch, {
      onTrace: ({ x }) => {
        const image = (x.image as Tensor<"float32">).data;
        seen.push(image.reduce((most, v, i) => Math.max(most, Math.abs(v - batch.images.image!.data[i]!)), 0));
      },
    });
    compiled.dispose();
    expectInside(outcome, batch, norm, "apgd");
    expect(outcome.steps.map(({ step }) => step)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    if (norm === "l_inf") {
      expect(Math.max(...seen)).toBeGreaterThan(1.6 * radius.l_inf);
      expect(Math.max(...seen.slice(-4))).toBeLessThanOrEqual(radius.l_inf + 1e-6);
    }
  }
});

it("depends on a sample's name and the seed, not on its place in the batch", async () => {
  const [attacked, batch] = [smallModel("segmentation"), smallBatch("segmentation")];
  const attack = attacks.cospgd(options("l_2", {}));
  const swapped: AttackBatch = {
    ...batch,
    images: { image: swap(batch.images.image!) },
    target: swap(batch.target),
    samples: ["second", "first"],
  };
  const [a, b] = [await run(attack, attacked, batch), await run(attack, attacked, swapped)];
  const back = swap(b.images.image!);
  a.images.image!.data.forEach((v, i) => {
    expect(Math.abs(v - back.data[i]!)).toBeLessThan(1e-5);
  });
  const other = await run(attack, attacked, { ...batch, seed: 2 });
  expect(other.images.image!.data).not.toEqual(a.images.image!.data);
});

it.each(Object.keys(norms) as Norm["name"][])(
  "%s: starts anywhere in the ball lie in it, and not on its surface alone",
  async (norm) => {
    const [attacked, batch] = [smallModel("flow"), smallBatch("flow")];
    const outcome = await run(noise({ norm, epsilon: radius[norm], randomStart: "ball" }), attacked, batch);
    expectInside(outcome, batch, norm, "noise");
  },
);

it("an ensemble takes the alignment that is asked for, and the residual one otherwise", async () => {
  const names = async (more: Parameters) => {
    const ascents = await ascentsOf(ensemble(options("l_inf", more)), { task: tasks.flow, goal: "untargeted" });
    return ascents.map(({ weight }) => weight.name);
  };
  expect(await names({})).toEqual(["uniform", "cospgd, residual alignment"]);
  expect(await names({ alignment: "sigmoid" })).toEqual(["uniform", "cospgd, sigmoid alignment"]);
});

it("an ensemble refuses what no member would use", () => {
  const members = (more: Parameters) =>
    ensemble.members!(ensemble(options("l_inf", more)).parameters, { task: tasks.classification, goal: "untargeted" });
  expect(() => members({ stepSize: 0.01 })).toThrow("in classification its members have no stepSize; leave it out.");
  expect(() => members({ loss: "dlr" })).toThrow("in classification its members have a loss of their own; leave it out.");
});

it("every attack is in the table under its own name", () => {
  for (const [name, definition] of Object.entries(attacks)) expect(definition.name).toBe(name);
});

it("parameters are complete after parsing, and the same when parsed again", () => {
  for (const definition of Object.values<AttackDefinition>(attacks)) {
    const { parameters } = attackOf(definition, {});
    expect(JSON.stringify(attackOf(definition, parameters).parameters)).toBe(JSON.stringify(parameters));
  }
  expect(attacks.pgd({ epsilon: 2 / 255 }).parameters.stepSize).toBe(0.32 * (2 / 255));
  expect(attacks.pgd({ norm: "l_2", epsilon: 1 }).parameters.stepSize).toBe(0.2);
  expect(attacks.pgd({ steps: 1 }).parameters.stepSize).toBe(8 / 255);
});

it("an ensemble of several losses measures its results by the first", async () => {
  const [attacked, batch] = [smallModel("classification"), smallBatch("classification")];
  const member = (loss: string, steps: number) => attacks.apgd({ epsilon: radius.l_inf, loss, steps });
  // The other member alone must win somewhere, else its loss would not show.
  for (const steps of [4, 30]) {
    const members = [member("cross-entropy", 4), member("dlr", steps)];
    const compiled = await worstOf(engine, () => members, attacked);
    const worst = await compiled.run(batch);
    const again = await compiled.evaluate(batch, worst.images);
    compiled.dispose();
    expect(Array.from(worst.loss)).toEqual(Array.from(again.loss));
    expect(Array.from(worst.correct)).toEqual(Array.from(again.correct));
  }
});

it("more restarts never end with less loss", async () => {
  const [attacked, batch] = [smallModel("flow"), smallBatch("flow")];
  const one = await run(attacks.pgd(options("l_inf", { steps: 2 })), attacked, batch);
  const four = await run(attacks.pgd(options("l_inf", { steps: 2, restarts: 4 })), attacked, batch);
  four.loss.forEach((loss, i) => {
    expect(loss).toBeGreaterThanOrEqual(one.loss[i]!);
  });
});

/** @param alone samples that the attack has won before it begins, and leaves as they are. */
function expectInside(
  outcome: AttackOutcome,
  batch: AttackBatch,
  norm: Norm["name"],
  name: string,
  alone: (sample: number) => boolean = () => false,
): void {
  for (const [role, image] of Object.entries(outcome.images)) {
    const clean = batch.images[role]!;
    const n = sizeOf(image.shape.slice(1));
    for (let b = 0; b < image.shape[0]!; b++) {
      const delta = image.data.subarray(b * n, (b + 1) * n).map((v, i) => v - clean.data[b * n + i]!);
      const size = {
        l_inf: delta.reduce((m, d) => Math.max(m, Math.abs(d)), 0),
        l_2: Math.sqrt(delta.reduce((s, d) => s + d * d, 0)),
        l_1: delta.reduce((s, d) => s + Math.abs(d), 0),
      }[norm];
      expect(size, `${name}, ${role}: size`).toBeLessThanOrEqual(radius[norm] * (1 + 1e-5) + 1e-6);
      if (alone(b)) expect(size, `${name}, ${role}: left alone`).toBe(0);
      else expect(size, `${name}, ${role}: it moved`).toBeGreaterThan(0);
    }
    expect(
      image.data.every((v) => v >= 0 && v <= 1),
      `${name}, ${role}: in [0, 1]`,
    ).toBe(true);
  }
}

/** The two samples of a batch in the other order. */
function swap<T extends Tensor>(t: T): T {
  const n = sizeOf(t.shape.slice(1));
  const data = t.data.slice() as Float32Array;
  data.set(t.data.slice(n) as Float32Array, 0);
  data.set(t.data.slice(0, n) as Float32Array, n);
  return { ...t, data };
}
