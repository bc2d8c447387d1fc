import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { sizeOf, type Tensor } from "../../engine/tensor/tensor.js";
import type { TaskName } from "../../vision/tasks/index.js";
import type { Attack, Goal, Norm } from "./attack.js";
import { type AttackName, type AttackOptions, attacks, noise } from "./catalogue/index.js";
import { type AttackBatch, type AttackOutcome, compileAttack } from "./compile-attack.js";
import { CompiledEnsemble, ensembleMembers } from "./ensemble.js";
import { norms } from "./norms/index.js";
import type { AttackSite } from "./step-graph.js";
import { leftHalf, smallBatch, smallSite } from "./testing/small-site.js";

const taskNames: readonly TaskName[] = ["classification", "segmentation", "flow", "disparity", "restoration"];
const goals: readonly Goal[] = ["untargeted", "targeted"];
/** About equal room in each norm for the 240 numbers of a small image. */
const radius: Readonly<Record<Norm["name"], number>> = { l_inf: 8 / 255, l_2: 0.4, l_1: 5 };

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

async function run(attack: Attack, site: AttackSite, batch: AttackBatch): Promise<AttackOutcome> {
  const compiled = await compileAttack(engine, attack, site);
  try {
    return await compiled.run(batch);
  } finally {
    compiled.dispose();
  }
}

const options = (norm: Norm["name"], goal: Goal, more: Partial<AttackOptions> = {}): AttackOptions => ({
  norm: norms[norm],
  goal,
  epsilon: radius[norm],
  steps: 8,
  ...more,
});

describe.each(taskNames)("%s", (task) => {
  for (const norm of Object.keys(norms) as Norm["name"][]) {
    for (const goal of goals) {
      it(`${norm}, ${goal}: every attack stays in the ball and beats the best of five draws of noise`, async () => {
        const [site, batch] = [smallSite(task), smallBatch(task)];
        const baseline = await run(noise({ ...options(norm, goal), restarts: 5 }), site, batch);
        for (const name of Object.keys(attacks) as AttackName[]) {
          const alignment = name.endsWith("cospgd") && task === "disparity" ? { alignment: "residual" } : {};
          const outcome = await run(attacks[name](options(norm, goal, alignment)), site, batch);
          expectInside(outcome, batch, norm, name);
          if (name === "noise") continue;
          for (let i = 0; i < outcome.loss.length; i++) {
            const sign = goal === "untargeted" ? 1 : -1;
            const what = `${name}, sample ${i}`;
            // This one counts pixels won, not loss: its own loss falls as it wins them.
            if (name === "apgd-cospgd") expect(sign * (outcome.correct[i]! - baseline.correct[i]!), what).toBeLessThanOrEqual(0);
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
    const site = { ...smallSite(task), region: true };
    const batch = smallBatch(task, { region: leftHalf });
    for (const name of Object.keys(attacks) as AttackName[]) {
      const attack = attacks[name](options("l_inf", "untargeted", { grid: "8-bit", steps: 2, start: "random" }));
      const [first, second] = [await run(attack, site, batch), await run(attack, site, batch)];
      expectInside(first, batch, "l_inf", name);
      for (const [role, image] of Object.entries(first.images)) {
        const clean = batch.images[role]!.data;
        image.data.forEach((v, i) => {
          const level = v * 255;
          expect(Math.abs(level - Math.round(level)), `${name}: grid`).toBeLessThan(1e-3);
          if (i % 10 >= 5) expect(v, `${name}: outside the region`).toBe(clean[i]);
        });
        expect(Buffer.from(image.data.buffer).equals(Buffer.from(second.images[role]!.data.buffer)), `${name}: again`).toBe(true);
      }
    }
  });

  it("ensemble: no member does worse to any sample", async () => {
    const [site, batch] = [smallSite(task), smallBatch(task)];
    const members = ensembleMembers(task, options("l_inf", "untargeted", { steps: 4 }));
    const ensemble = await CompiledEnsemble.compile(engine, members, site);
    const worst = await ensemble.run(batch);
    ensemble.dispose();
    for (const member of members) {
      const own = await run(member, site, batch);
      own.correct.forEach((c, i) => {
        expect(worst.correct[i]!).toBeLessThanOrEqual(c);
      });
    }
  });
});

it("depends on a sample's name and the seed, not on its place in the batch", async () => {
  const [site, batch] = [smallSite("segmentation"), smallBatch("segmentation")];
  const attack = attacks.cospgd(options("l_2", "untargeted"));
  const swapped: AttackBatch = {
    ...batch,
    images: { image: swap(batch.images.image!) },
    target: swap(batch.target),
    samples: ["second", "first"],
  };
  const [a, b] = [await run(attack, site, batch), await run(attack, site, swapped)];
  const back = swap(b.images.image!);
  a.images.image!.data.forEach((v, i) => {
    expect(Math.abs(v - back.data[i]!)).toBeLessThan(1e-5);
  });
  const other = await run(attack, site, { ...batch, seed: 2 });
  expect(other.images.image!.data).not.toEqual(a.images.image!.data);
});

it.each(Object.keys(norms) as Norm["name"][])(
  "%s: starts anywhere in the ball lie in it, and not on its surface alone",
  async (norm) => {
    const [site, batch] = [smallSite("flow"), smallBatch("flow")];
    const outcome = await run(noise({ ...options(norm, "untargeted"), start: "ball" }), site, batch);
    expectInside(outcome, batch, norm, "noise");
  },
);

it("an ensemble takes the alignment that is asked for, and the residual one otherwise", () => {
  const names = (more: object) =>
    ensembleMembers("flow", options("l_inf", "untargeted", more)).map((member) => member.weight.name);
  expect(names({})).toEqual(["uniform", "cospgd, residual alignment"]);
  expect(names({ alignment: "sigmoid" })).toEqual(["uniform", "cospgd, sigmoid alignment"]);
});

it("an ensemble of several losses measures its results by the first", async () => {
  const [site, batch] = [smallSite("classification"), smallBatch("classification")];
  const members = ensembleMembers("classification", options("l_inf", "untargeted", { steps: 4 }));
  // The other member alone must win somewhere, else its loss would not show.
  for (const list of [members, [members[0]!, { ...members[1]!, budget: { ...members[1]!.budget, steps: 30 } }]]) {
    const ensemble = await CompiledEnsemble.compile(engine, list, site);
    const worst = await ensemble.run(batch);
    const again = await ensemble.evaluate(batch, worst.images);
    ensemble.dispose();
    expect(Array.from(worst.loss)).toEqual(Array.from(again.loss));
    expect(Array.from(worst.correct)).toEqual(Array.from(again.correct));
  }
});

it("more restarts never end with less loss", async () => {
  const [site, batch] = [smallSite("flow"), smallBatch("flow")];
  const one = await run(attacks.pgd(options("l_inf", "untargeted", { steps: 2 })), site, batch);
  const four = await run(attacks.pgd(options("l_inf", "untargeted", { steps: 2, restarts: 4 })), site, batch);
  four.loss.forEach((loss, i) => {
    expect(loss).toBeGreaterThanOrEqual(one.loss[i]!);
  });
});

function expectInside(outcome: AttackOutcome, batch: AttackBatch, norm: Norm["name"], name: string): void {
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
      expect(size, `${name}, ${role}: it moved`).toBeGreaterThan(0);
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
