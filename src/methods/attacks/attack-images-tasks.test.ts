import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readModel } from "../../engine/onnx/read-file.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { unstack } from "../../engine/tensor/arrays.js";
import { type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import type { Images, ImagesByRole } from "../../vision/model/images.js";
import { LoadedModel } from "../../vision/model/loaded-model.js";
import { someImages } from "../../vision/model/testing/small-classifier.js";
import { taskNames, tasks } from "../../vision/tasks/index.js";
import { attack } from "./attack-images.js";
import { pgd } from "./catalogue/index.js";

/** Small networks of one task each; their files fix batches of two. */
const folder = fileURLToPath(new URL("../../../fixtures/golden/attacks/", import.meta.url));
const known = taskNames.filter((task) => readdirSync(folder).includes(task) && existsSync(`${folder}${task}/network.onnx`));

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const imagesOf = ({ task, spec }: LoadedModel): Readonly<Record<string, Tensor<"float32">>> =>
  Object.fromEntries(
    task.roles.map((role, i) => {
      const size = spec.size as { height: number; width: number };
      const { shape, data } = someImages(3, size.height, size.width);
      return [
        role,
        tensor(
          "float32",
          shape,
          data.map((v) => (i === 0 ? v : 1 - v)),
        ),
      ];
    }),
  );

describe.each(known)("%s", (task) => {
  const roles: readonly string[] = tasks[task].roles;
  let model: LoadedModel;
  let given: Readonly<Record<string, Tensor<"float32">>>;
  let images: Images | ImagesByRole;
  beforeAll(async () => {
    model = new LoadedModel(engine, await readModel(`${folder}${task}/network.onnx`), { task });
    given = imagesOf(model);
    images = roles.length > 1 ? given : given[roles[0]!]!;
  });

  it("three images through a model that fixes its batch, by their roles", async () => {
    expect([1, 2, 3]).toContain(model.batch);
    const predictions = await model.predict(images);
    expect(predictions.shape[0]).toBe(3);
    const last = Object.fromEntries(Object.entries(given).map(([role, t]) => [role, [unstack(t, 2)]]));
    const alone = await model.predict(roles.length > 1 ? last : Object.values(last)[0]!);
    toNumbers(alone).forEach((v, i) => expect(v).toBeCloseTo(toNumbers(unstack(predictions, 2))[i]!, 4));
    const { gradient } = await model.gradient(images, ownTargets(model, predictions), {
      ...(tasks[task].kind === "classes" ? {} : { loss: "l1" }),
    });
    expect(Object.keys(gradient).includes("data") ? ["image"] : Object.keys(gradient)).toEqual(roles);
  });

  it("is attacked away from what it should say, and towards what it should not", async () => {
    const own = ownTargets(model, await model.predict(images));
    const away = await attack(model, images, own, pgd({ epsilon: 0.1, stepSize: 0.03, steps: 5 }));
    expect(away.after.loss.reduce((a, b) => a + b)).toBeGreaterThan(away.before.loss.reduce((a, b) => a + b));
    expect(away.success).toHaveLength(3);
    expect(away.success).toContain(true);
    const found: Readonly<Record<string, Tensor<"float32">>> =
      roles.length > 1 ? (away.images as never) : { [roles[0]!]: away.images as Tensor<"float32"> };
    expect(Object.keys(found)).toEqual(roles);
    for (const role of roles)
      found[role]!.data.forEach((v, i) => {
        expect(Math.abs(v - given[role]!.data[i]!)).toBeLessThanOrEqual(0.1 + 1e-6);
      });
    const wanted = tensor(
      own.type,
      own.shape,
      toNumbers(own).map((v) => (own.type === "int64" ? (v + 1) % 5 : tasks[task].kind === "picture" ? 1 - v : v + 1)),
    );
    const towards = await attack(model, images, wanted, pgd({ epsilon: 0.1, stepSize: 0.03, steps: 5 }), { goal: "targeted" });
    expect(towards.after.loss.reduce((a, b) => a + b)).toBeLessThan(towards.before.loss.reduce((a, b) => a + b));
  });

  it.skipIf(tasks[task].extent === "image")("counts only where targets are known", async () => {
    const own = ownTargets(model, await model.predict(images));
    const [height, width] = own.shape.slice(-2) as [number, number];
    const known = (i: number) => i % (height * width) < width;
    const valid = tensor(
      "float32",
      [3, height, width],
      Float32Array.from({ length: 3 * height * width }, (_, i) => (known(i) ? 1 : 0)),
    );
    const doubled = tensor(
      own.type,
      own.shape,
      toNumbers(own).map((v, i) => (known(i) ? v : own.type === "int64" ? (v + 1) % 5 : 1 - v)),
    );
    const { loss } = await model.evaluate(images, doubled, { valid });
    const exact = await model.evaluate(images, own, { valid });
    loss.forEach((v, i) => expect(v).toBeCloseTo(exact.loss[i]!, 5));
    await expect(
      model.evaluate(images, own, {
        valid: tensor(
          "float32",
          valid.shape,
          valid.data.map(() => 2),
        ),
      }),
    ).rejects.toThrow(/The mask valid holds 2/);
  });

  it("one image where the task takes two is said", async () => {
    if (roles.length > 1)
      await expect(model.predict(given[roles[0]!]!)).rejects.toThrow(/takes 2 images for each sample; give them as/);
    else await expect(model.predict({ left: someImages(1) })).rejects.toThrow(/has no image "left"/);
  });
});

const ownTargets = (model: LoadedModel, predictions: Tensor): Tensor => {
  const own = Array.from({ length: predictions.shape[0]! }, (_, i) =>
    model.task.ownTarget(unstack(predictions, i), model.spec.output),
  );
  return tensor(
    own[0]!.type,
    [own.length, ...own[0]!.shape],
    own.flatMap((t) => toNumbers(t)),
  );
};
