import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../../engine/graph/graph.js";
import { concat, mul, reshape, slice, sub } from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { createEngine, type Engine } from "../../../index.js";
import type { AttackBatch } from "../batch.js";
import { apgd, noise, pgd } from "../catalogue/index.js";
import { type Attack, compileAttack } from "../definition.js";
import { functionModel, piecewiseLinear } from "../testing/function-model.js";

// One red value t decides: three logits are piecewise linear in t - 128/255, the first is always 0. Wrong predictions of low loss lie on one side,
// right ones of higher loss on the other.

const clean = 128 / 255;
const knots = { ridge: [-0.12, -0.1, 0, 0.1, 0.12], bump: [-0.12, 0, 0.05, 0.1, 0.12] };
const curves = {
  ridge: [
    [0.3, 0.3, -2, -0.05, -0.05],
    [-4, -4, -2, -0.05, -0.05],
  ],
  bump: [
    [-2, -2, 0.3, -0.05, -0.05],
    [-2, -2, -1, -0.05, -0.05],
  ],
};

const count = 16;
const attacked = (kind: keyof typeof curves) =>
  functionModel([count, 3, 1, 1], (image) => {
    const t = sub(reshape(slice(image, [0], [1], { axes: [1] }), [count, 1]), clean);
    const logit = (i: number): Value => piecewiseLinear(t, knots[kind], curves[kind][i]!);
    return concat([mul(t, 0), logit(0), logit(1)], 1);
  });

const batch = (label: number): AttackBatch => ({
  images: { image: tensor("float32", [count, 3, 1, 1], new Float32Array(3 * count).fill(clean)) },
  target: tensor("int64", [count], new Array(count).fill(label)),
  samples: Array.from({ length: count }, (_, i) => `sample ${i}`),
  seed: 0,
});

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

async function correct(attack: Attack, kind: keyof typeof curves, label = 0): Promise<number> {
  const compiled = await compileAttack(engine, attack, attacked(kind));
  const outcome = await compiled.run(batch(label));
  compiled.dispose();
  return outcome.correct.reduce((a, b) => a + b, 0) / count;
}

describe("what is kept is what succeeds, not what has more loss", () => {
  const options = { norm: "l_inf", epsilon: 0.1, steps: 20 } as const;

  it("among restarts: more of them never make a model more robust", async () => {
    const one = await correct(pgd(options), "ridge");
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThan(1);
    expect(await correct(pgd({ ...options, restarts: 10 }), "ridge")).toBe(0);
  });

  it.each(["l_inf", "l_2", "l_1"] as const)("among Auto-PGD's iterates, in %s", async (norm) => {
    // A start is lucky in one of four cases; its later iterates have more loss and are right.
    expect(await correct(apgd({ ...options, norm, restarts: 40 }), "bump")).toBe(0);
  });

  it("an image that is wrong when clean stays so", async () => {
    // class 1 is never the clean prediction; a random point may be one where it is
    for (const attack of [noise({ epsilon: 0.1 }), pgd({ ...options, steps: 1 }), apgd({ ...options, steps: 2 })])
      expect(await correct(attack, "ridge", 1), attack.name).toBe(0);
  });

  it("restarts that would repeat one search are refused", async () => {
    await expect(compileAttack(engine, pgd({ ...options, restarts: 3, randomStart: "none" }), attacked("ridge"))).rejects.toThrow(
      "pgd starts at the clean image, so 3 restarts would repeat one search bit for bit; take 1 restart, or a random start.",
    );
  });
});
