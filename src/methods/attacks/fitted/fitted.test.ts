import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { patch, universal } from "../catalogue/index.js";
import { type Attack, compileAttack, fitAttack } from "../definition.js";
import { leftHalf, smallBatch, smallModel } from "../testing/small-model.js";
import type { Lessons } from "./fitted.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const batch = smallBatch("segmentation");
const lessons: Lessons = { batch: async () => batch };
const small = { patchSize: 4, scaling: 0.1, rotation: 30 };

const worn = async (attack: Attack, more: object = {}, given = batch) => {
  const model = { ...smallModel("segmentation"), ...more };
  const { fitted } = await fitAttack(engine, attack, model, { ...lessons, batch: async () => given });
  const compiled = await compileAttack(engine, attack, model, fitted);
  const outcome = await compiled.run(given);
  compiled.dispose();
  return outcome;
};

it.each([
  universal({ steps: 6 }),
  universal({ norm: "l_2", epsilon: 0.5, steps: 6 }),
  patch({ ...small, steps: 6 }),
] as readonly Attack[])("$name: stopped and taken up again, the bits are those of an unbroken learning", async (attack) => {
  const model = smallModel("segmentation");
  const whole = await fitAttack(engine, attack, model, lessons);
  expect(whole.steps).toBe(6);
  const stop = new AbortController();
  const half = await fitAttack(engine, attack, model, lessons, {
    signal: stop.signal,
    onStep: ({ steps }) => steps === 3 && stop.abort(),
  });
  expect(half.steps).toBe(3);
  const rest = await fitAttack(engine, attack, model, lessons, { from: half });
  expect(rest.fitted).toEqual(whole.fitted);
  expect(half.fitted).not.toEqual(whole.fitted);
});

describe("a patch", () => {
  const changed = (image: Tensor<"float32">, b: number, pixel: number) =>
    [0, 1, 2].some((c) => image.data[(b * 3 + c) * 80 + pixel] !== batch.images.image!.data[(b * 3 + c) * 80 + pixel]);

  it("changes what it hides and nothing else", async () => {
    const { images, hidden } = await worn(patch({ ...small, steps: 2 }));
    for (let b = 0; b < 2; b++) {
      let pixels = 0;
      for (let pixel = 0; pixel < 80; pixel++) {
        pixels += hidden!.data[b * 80 + pixel]!;
        if (hidden!.data[b * 80 + pixel] === 0) expect(changed(images.image!, b, pixel)).toBe(false);
      }
      expect(pixels).toBeGreaterThan(8);
      expect(pixels).toBeLessThan(25);
    }
  });

  it("is where it is placed, upright and in its size: the patch itself, pixel for pixel", async () => {
    const attack = patch({ patchSize: 4, scaling: 0, rotation: 0, placement: "3x4", steps: 0 });
    const model = smallModel("segmentation");
    const { fitted } = await fitAttack(engine, attack, model, lessons);
    const { images, hidden } = await worn(attack);
    for (let y = 0; y < 8; y++)
      for (let x = 0; x < 10; x++) {
        const inside = x >= 1 && x < 5 && y >= 2 && y < 6;
        expect(hidden!.data[y * 10 + x], `${x} ${y}`).toBe(inside ? 1 : 0);
        if (inside) expect(images.image!.data[y * 10 + x]).toBeCloseTo(fitted.patch!.data[(y - 2) * 4 + x - 1]!, 5);
      }
  });

  it("shows only within the region", async () => {
    const { hidden } = await worn(patch({ ...small, steps: 1 }), { region: true }, { ...batch, region: leftHalf });
    hidden!.data.forEach((h, i) => {
      if (i % 10 >= 5) expect(h).toBe(0);
    });
    expect(hidden!.data.includes(1)).toBe(true);
  });

  it("that has learned does more to the pixels around it than noise", async () => {
    const mean = ({ loss }: { readonly loss: Float32Array }) => loss.reduce((a, b) => a + b, 0);
    expect(mean(await worn(patch({ ...small, steps: 30 })))).toBeGreaterThan(mean(await worn(patch({ ...small, steps: 0 }))));
  });

  it("is smoother, and nearer to printable colors, where these weigh", async () => {
    const model = smallModel("segmentation");
    const of = async (more: object) =>
      (await fitAttack(engine, patch({ ...small, steps: 30, ...more }), model, lessons)).fitted.patch!;
    const variation = ({ data }: Tensor<"float32">) =>
      data.reduce((sum, v, i) => (i % 4 < 3 ? sum + Math.abs(data[i + 1]! - v) : sum), 0);
    const distance = ({ data }: Tensor<"float32">) =>
      data.reduce((sum, v) => sum + Math.min(...[0.1, 0.45, 0.85].map((level) => Math.abs(v - level))), 0);
    const plain = await of({});
    expect(variation(await of({ tvWeight: 50 }))).toBeLessThan(0.7 * variation(plain));
    expect(distance(await of({ printWeight: 50 }))).toBeLessThan(0.7 * distance(plain));
  });
});
