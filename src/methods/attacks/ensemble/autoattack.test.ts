import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { matMul, mul, reshape, sub } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { createEngine, type Engine } from "../../../index.js";
import type { Norm } from "../ascent/ascent.js";
import type { AttackBatch } from "../batch.js";
import { apgdReleased, apgdT, autoattack } from "../catalogue/index.js";
import { type Attack, checkAttack, compileAttack } from "../definition.js";
import { norms } from "../norms/index.js";
import { functionModel } from "../testing/function-model.js";
import { smallModel } from "../testing/small-model.js";

const [height, width, classes, count] = [6, 7, 6, 8];
const n = 3 * height * width;
const random = new Random(5, "six classes");
const weights = tensor(
  "float32",
  [n, classes],
  Float32Array.from({ length: n * classes }, () => random.normal()),
);

/** A linear classifier; with a large `scale` its cross-entropy is 0 in float32 and has no gradient. */
const linear = (images: number, scale = 1) =>
  functionModel([images, 3, height, width], (image) =>
    mul(matMul(reshape(sub(image, 0.5), [images, n]), image.graph.constant(weights)), scale),
  );

/** What the classifier makes of random pictures, and for the last one a wrong label. */
function batch(): AttackBatch {
  const data = Float32Array.from({ length: count * n }, () => random.uniform(0.2, 0.8));
  const labels = Array.from({ length: count }, (_, b) => {
    const scores = Array.from({ length: classes }, (_, k) =>
      data.subarray(b * n, (b + 1) * n).reduce((s, v, i) => s + (v - 0.5) * weights.data[i * classes + k]!, 0),
    );
    const best = scores.indexOf(Math.max(...scores));
    return b === count - 1 ? (best + 1) % classes : best;
  });
  return {
    images: { image: tensor("float32", [count, 3, height, width], data) },
    target: tensor("int64", [count], labels),
    samples: labels.map((_, b) => `picture ${b}`),
    seed: 2,
  };
}

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const given = batch();

async function run(attack: Attack, { part = count, scale = 1 } = {}) {
  const compiled = await compileAttack(engine, attack, { ...linear(part, scale), ...(part !== count && { batch: count }) });
  try {
    return await compiled.run(given);
  } finally {
    compiled.dispose();
  }
}

const sum = (v: Iterable<number>) => [...v].reduce((a, b) => a + b, 0);
/** At which some images break and some do not. */
const radius: Readonly<Record<Norm["name"], number>> = { l_inf: 0.015, l_2: 0.15, l_1: 1.5 };

describe.each(Object.keys(norms) as Norm["name"][])("in %s", (norm) => {
  const [epsilon, short] = [radius[norm], { steps: 20, queries: 100 }];

  it("each attack is left fewer images, the same whatever the parts, and what is wrong is left alone", async () => {
    const whole = await run(autoattack({ norm, epsilon, ...short }));
    const names = whole.after!.map(({ attack }) => attack);
    expect(names).toEqual(["apgd-ce", "apgd-t", "fab-t", "square"]);
    const right = whole.after!.map(({ correct }) => sum(correct));
    expect(right).toEqual([...right].sort((a, b) => b - a));
    expect(sum(whole.clean.correct)).toBe(count - 1);
    expect(right.at(-1)).toBe(sum(whole.correct));
    expect(right[0]).toBeLessThan(count - 1);
    expect(whole.images.image!.data.slice((count - 1) * n)).toEqual(given.images.image!.data.slice((count - 1) * n));
    expect(whole.steps).toHaveLength(20);
    const parts = await run(autoattack({ norm, epsilon, ...short }), { part: 3 });
    expect(parts.after).toEqual(whole.after);
    parts.images.image!.data.forEach((v, i) => {
      expect(Math.abs(v - whole.images.image!.data[i]!)).toBeLessThan(1e-4);
    });
  });

  it.each([
    apgdT({ norm, epsilon, steps: 20 }),
    apgdT({ norm, epsilon, steps: 20, radii: "shrinking" }),
    apgdReleased({ norm, epsilon, steps: 20, radii: "shrinking", randomStart: "projected" }),
    autoattack({ norm, epsilon, version: "plus", ...short }),
    autoattack({ norm, epsilon, version: "rand", ...short, steps: 4 }),
  ])("$name stays in the ball and the box (%#)", async (attack) => {
    const { images, correct, loss, clean } = await run(attack);
    for (let b = 0; b < count; b++) {
      const delta = images.image!.data.subarray(b * n, (b + 1) * n).map((v, i) => v - given.images.image!.data[b * n + i]!);
      const size = { l_inf: Math.max(...delta.map(Math.abs)), l_2: Math.hypot(...delta), l_1: sum(delta.map(Math.abs)) }[norm];
      expect(size).toBeLessThanOrEqual(epsilon * (1 + 1e-5) + 1e-6);
      expect(loss[b]).toBeGreaterThanOrEqual(clean.loss[b]!);
    }
    expect(images.image!.data.every((v) => v >= 0 && v <= 1)).toBe(true);
    expect(sum(correct)).toBeLessThan(sum(clean.correct));
  });
});

it("towards the likeliest wrong class, an ascent on a linear model finds exactly what can be broken", async () => {
  // In l_inf the margin to class k shrinks by ε ‖w_y - w_k‖₁ at most.
  const { correct } = await run(apgdT({ epsilon: radius.l_inf, steps: 40 }));
  for (let b = 0; b < count - 1; b++) {
    const x = given.images.image!.data.subarray(b * n, (b + 1) * n);
    const y = Number(given.target.data[b]);
    const margins = Array.from({ length: classes }, (_, k) => {
      let [margin, length] = [0, 0];
      for (let i = 0; i < n; i++) {
        const d = weights.data[i * classes + y]! - weights.data[i * classes + k]!;
        [margin, length] = [margin + (x[i]! - 0.5) * d, length + Math.abs(d)];
      }
      return k === y ? Number.POSITIVE_INFINITY : margin - radius.l_inf * length;
    });
    const least = Math.min(...margins);
    if (Math.abs(least) > 1e-3) expect(correct[b], `picture ${b}: ${least}`).toBe(least < 0 ? 0 : 1);
  }
});

it("where cross-entropy has no gradient any more, the targeted attack still has one", async () => {
  const { after, clean } = await run(autoattack({ epsilon: 0.03, steps: 10, queries: 1 }), { scale: 1e4 });
  expect(sum(clean.correct)).toBe(count - 1);
  const [first, second] = after!.map(({ correct }) => sum(correct));
  expect(first).toBe(count - 1);
  expect(second).toBeLessThan(first! / 2);
});

it("Square follows the released code, as the other members do", () => {
  const { definition, parameters } = autoattack({ norm: "l_1", epsilon: 12 });
  const last = definition.members!(parameters, { task: linear(1).task, goal: "untargeted" }).at(-1)!;
  expect(last.name).toBe("square");
  expect(last.parameters).toMatchObject({ norm: "l_1", epsilon: 12, queries: 5000, halvings: "fixed", windows: "released" });
});

it("rand averages over as many predictions as it says", async () => {
  const { repeatedPredictions } = await import("./in-turn.js");
  expect(repeatedPredictions(20).samples).toBe(20);
  const { after } = await run(autoattack({ epsilon: radius.l_inf, version: "rand", steps: 5 }));
  expect(after!.map(({ attack }) => attack)).toEqual(["apgd-ce", "apgd-dlr"]);
});

describe("is refused", () => {
  it.each([autoattack({}), apgdT({})] as unknown as Attack[])("$name: other tasks, a target, too few classes", async (attack) => {
    const { task } = linear(1);
    await expect(checkAttack(attack, { task: smallModel("flow").task, goal: "untargeted" })).rejects.toThrow(
      /flow predicts .*; take apgd/,
    );
    await expect(checkAttack(attack, { task, goal: "targeted" })).rejects.toThrow(/--loss targeted-dlr/);
    const narrow = functionModel([1, 3, 1, 1], (image) => reshape(image, [1, 3]));
    await expect(compileAttack(engine, attack, narrow)).rejects.toThrow(/the model has 3 classes; take/);
  });
});
