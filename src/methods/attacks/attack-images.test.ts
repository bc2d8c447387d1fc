import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { argmax, unstack } from "../../engine/tensor/arrays.js";
import { type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { LoadedModel } from "../../vision/model/loaded-model.js";
import { smallClassifier, someImages } from "../../vision/model/testing/small-classifier.js";
import { attack } from "./attack-images.js";
import { apgd, cospgd, noise, pgd } from "./catalogue/index.js";
import { type Attack, defineAttack } from "./definition.js";
import { compileEvaluation } from "./evaluation.js";

const spec = { task: "classification", range: "-1..1", channels: "rgb", output: { meaning: "logits" } } as const;

let engine: Engine;
let model: LoadedModel;
let labels: number[];
const five = someImages(5);

beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  model = new LoadedModel(engine, smallClassifier(), spec, { batch: 2 });
  labels = Array.from(argmaxes(await model.predict(five)));
});
afterAll(() => engine.dispose());

const argmaxes = (logits: Tensor) => Array.from({ length: logits.shape[0]! }, (_, i) => argmax(unstack(logits, i))[0]!);
const largest = (a: Tensor, b: Tensor) => Math.max(...toNumbers(a).map((v, i) => Math.abs(v - Number(b.data[i]))));

describe("attack", () => {
  it("finds what it says: images in the ball whose predictions are as reported", async () => {
    const epsilon = 0.1;
    const result = await attack(model, five, labels, pgd({ epsilon, stepSize: 0.02, steps: 10 }));
    expect(result.images.type).toBe("float32");
    expect(result.images.shape).toEqual(five.shape);
    expect(result.images.data.every((v) => v >= 0 && v <= 1)).toBe(true);
    result.perturbation.forEach((size, i) => {
      expect(size).toBeCloseTo(largest(unstack(result.images, i), unstack(five, i)), 7);
      expect(size).toBeLessThanOrEqual(epsilon + 1e-6);
    });
    const again = await model.evaluate(result.images, labels);
    expect(again.correct).toEqual(result.after.correct);
    again.loss.forEach((v, i) => expect(v).toBeCloseTo(result.after.loss[i]!, 4));
    expect(result.success).toEqual(argmaxes(result.after.predictions).map((k, i) => k !== labels[i]));
    expect(result.success).toContain(true);
    expect(result.before.metrics["top-1"]).toBe(1);
    expect(result.after.metrics["top-1"]).toBeLessThan(1);
    expect(result.losses.map((l) => l.length)).toEqual(new Array(5).fill(10));
    expect(result.warnings).toEqual([]);
  });

  it("gives each image what it would get alone, however the images are cut into batches", async () => {
    const method = cospgd({ epsilon: 0.05, steps: 4 });
    const whole = await attack(model, five, labels, method);
    for (const batch of [1, 3, 5]) {
      const cut = await attack(model, five, labels, method, { batch });
      expect(largest(cut.images, whole.images)).toBeLessThan(1e-5);
      expect(cut.success).toEqual(whole.success);
    }
    const last = await attack(model, [unstack(five, 4)], [labels[4]!], method, { names: ["4"] });
    expect(largest(last.images, tensor("float32", [1, 3, 8, 8], unstack(whole.images, 4).data))).toBeLessThan(1e-5);
    const again = await attack(model, five, labels, method);
    expect(again.images).toEqual(whole.images);
    expect((await attack(model, five, labels, method, { seed: 1 })).images).not.toEqual(whole.images);
  });

  it("drives towards targets, and away from its own predictions where there are none", async () => {
    const logits = await model.predict(five);
    const wanted = labels.map((label, i) => {
      const row = toNumbers(unstack(logits, i)).map((v, k) => (k === label ? Number.NEGATIVE_INFINITY : v));
      return row.indexOf(Math.max(...row));
    });
    const towards = await attack(model, five, wanted, pgd({ epsilon: 0.3, stepSize: 0.05, steps: 20 }), { goal: "targeted" });
    expect(towards.success).toEqual(argmaxes(towards.after.predictions).map((k, i) => k === wanted[i]));
    expect(towards.success).toContain(true);
    const method = pgd({ epsilon: 0.05, steps: 3 });
    const without = await attack(model, five, undefined, method);
    expect(without.images).toEqual((await attack(model, five, labels, method)).images);
    expect(without.warnings).toEqual(["No targets were given: the attack drives away from the model's own predictions."]);
  });

  it("keeps to a region, and works in the other norms", async () => {
    const region = tensor(
      "float32",
      [1, 8, 8],
      Float32Array.from({ length: 64 }, (_, i) => (i < 8 ? 1 : 0)),
    );
    const { images, perturbation } = await attack(model, five, labels, pgd({ norm: "l_2", epsilon: 0.5, steps: 3 }), { region });
    for (let i = 0; i < images.data.length; i++) if (i % 64 >= 8) expect(images.data[i]).toBe(five.data[i]);
    for (const size of perturbation) {
      expect(size).toBeGreaterThan(0.1);
      expect(size).toBeLessThanOrEqual(0.5 + 1e-5);
    }
  });

  it("tells each step, and stops between steps", async () => {
    const seen: string[] = [];
    const stop = new AbortController();
    const stopped = attack(model, five, labels, pgd({ epsilon: 0.05, steps: 3 }), {
      signal: stop.signal,
      onProgress: ({ done, total, step }) => {
        seen.push(`${done}/${total} ${step}`);
        if (done === 2 && step === 2) stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(seen).toEqual(["0/5 1", "0/5 2", "0/5 3", "2/5 1", "2/5 2"]);
  });

  it("runs attacks of every kind", async () => {
    for (const method of [apgd({ epsilon: 0.05, steps: 4 }), noise({ epsilon: 0.05 })]) {
      const { perturbation } = await attack(model, five, labels, method as Attack);
      for (const size of perturbation) expect(size).toBeLessThanOrEqual(0.05 + 1e-6);
    }
  });

  it("runs an attack of one's own without gradients, and gives back what it has to say", async () => {
    /** The image, a little darker: no ball, no gradient. */
    const darker = defineAttack({
      name: "darker",
      source: "this test",
      summary: "darkens",
      parameters: z.strictObject({ by: z.number().min(0).max(1).default(0.5) }),
      follows: "predictions",
      budget: () => ({ norm: "l_inf" }),
      compile: async (given, { by }, attacked) => {
        const evaluation = await compileEvaluation(given, attacked);
        return {
          ...evaluation,
          run: async (batch) => {
            const dark = Object.entries(batch.images).map(([role, t]) => [
              role,
              tensor(
                "float32",
                t.shape,
                t.data.map((v) => v * (1 - by)),
              ),
            ]);
            const found = Object.fromEntries(dark) as typeof batch.images;
            const clean = await evaluation.evaluate(batch, batch.images);
            const after = await evaluation.evaluate(batch, found);
            return {
              ...after,
              images: found,
              clean,
              steps: [],
              found: { darkness: new Float32Array(batch.samples.length).fill(by) },
            };
          },
        };
      },
    });
    const result = await attack(model, five, labels, darker({ by: 0.25 }));
    expect(result.found.darkness).toEqual(new Array(5).fill(0.25));
    result.images.data.forEach((v, i) => {
      expect(v).toBeCloseTo(Number(five.data[i]) * 0.75, 6);
    });
    expect(() => darker({ by: 2 })).toThrow("darker: by: must be a number at least 0 and at most 1, not 2.");
    await expect(attack(model, five, labels, darker(), { perturb: [] })).rejects.toThrow("perturbs all images of a sample");
  });

  it("warns where nothing could be followed", async () => {
    const closed = new LoadedModel(engine, smallClassifier("N", -100), spec);
    const { warnings } = await attack(closed, five, labels, pgd({ epsilon: 0.05, steps: 2 }));
    expect(warnings).toEqual([
      expect.stringMatching(/^The gradient is 0 everywhere for 5 of 5 images \(0, 1, 2, 3, 4\): nothing can be followed/),
    ]);
  });
});

const wrong: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
  [
    "an attack that was not called",
    () => attack(model, five, labels, pgd as unknown as Attack),
    /pgd is not called: write pgd\(\{ epsilon: 8 \/ 255 \}\)/,
  ],
  [
    "a name for an attack",
    () => attack(model, five, labels, "pgd" as unknown as Attack),
    /The attack is "pgd"; give one that was made/,
  ],
  [
    "images of 0..255",
    () => attack(model, tensor("float32", [1, 3, 8, 8], new Float32Array(192).fill(9)), [0], pgd()),
    /is 9, but images are in \[0, 1\]/,
  ],
  ["too many labels", () => attack(model, five, [0, 1, 2, 3, 4, 0], pgd()), /There are 5 images, but labels for 6/],
  ["a label beyond the classes", () => attack(model, five, [0, 1, 2, 3, 5], pgd()), /A label of image 4 is 5/],
  [
    "a goal without targets",
    () => attack(model, five, undefined, pgd(), { goal: "targeted" }),
    /A targeted attack needs targets/,
  ],
  ["too few names", () => attack(model, five, labels, pgd(), { names: ["a"] }), /There are 5 images, but 1 names/],
  ["one name twice", () => attack(model, five, labels, pgd(), { names: ["a", "b", "a", "c", "d"] }), /Two images are named "a"/],
  [
    "a region of another size",
    () => attack(model, five, labels, pgd(), { region: tensor("float32", [1, 4, 4]) }),
    /The region is float32\[1, 4, 4\]; it is \[1, 8, 8\]/,
  ],
  [
    "an image to perturb that is not there",
    () => attack(model, five, labels, pgd(), { perturb: ["left"] }),
    /There is no image "left"/,
  ],
];

it.each(wrong)("says in one sentence what is wrong: %s", async (_, call, sentence) => {
  const error = await call().then(
    () => undefined,
    (e: unknown) => e as Error,
  );
  expect(error?.message).toMatch(sentence);
  expect(error!.message.split("\n")).toHaveLength(1);
});
