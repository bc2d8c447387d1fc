import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { readModel } from "../../engine/onnx/read-file.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { LoadedModel } from "../../vision/model/loaded-model.js";
import { someImages } from "../../vision/model/testing/small-classifier.js";
import { attack } from "./attack-images.js";
import { noise, pgd } from "./catalogue/index.js";

/** A segmentation network whose file fixes two images of 12x14. */
const file = fileURLToPath(new URL("../../../fixtures/golden/attacks/segmentation/network.onnx", import.meta.url));
const tiles = { height: 12, width: 14, overlap: 4 };

let engine: Engine;
let network: OnnxModel;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  network = await readModel(file);
});
afterAll(() => engine.dispose());

const labels = Array.from({ length: 20 * 31 }, (_, i) => i % 5);

it("images of another size are predicted and attacked in tiles, the same in one graph and tile by tile", async () => {
  const model = new LoadedModel(engine, network, { task: "segmentation", range: "0..1" }, { tiles });
  const images = someImages(2, 20, 31);
  expect((await model.predict(images)).shape.slice(2)).toEqual([20, 31]);
  const targets = [labels, labels].flat().map(BigInt);
  const target = { type: "int64", shape: [2, 20, 31], data: BigInt64Array.from(targets) } as const;
  const { gradient, loss } = await model.gradient(images, target);
  expect(gradient.shape).toEqual([2, 3, 20, 31]);
  const method = pgd({ epsilon: 0.05, stepSize: 0.02, steps: 3 });
  const found = await attack(model, images, target, method);
  // the graph of the whole prediction knows the loss that the loop over tiles begins and ends with
  const after = await model.evaluate(found.images, target);
  found.before.loss.forEach((v, i) => expect(v).toBeCloseTo(loss[i]!, 4));
  found.after.loss.forEach((v, i) => expect(v).toBeCloseTo(after.loss[i]!, 4));
  found.after.loss.forEach((v, i) => expect(v).toBeGreaterThan(found.before.loss[i]!));
  expect(found.warnings.join(" ")).not.toMatch(/mirrored|scaled/);
  const within = await attack(model, images, target, method, { memory: 2 ** 30 });
  expect(within.images.data).toEqual(found.images.data);
  await model.dispose();
});

it("what does not go together is said", async () => {
  const spec = { task: "segmentation", range: "0..1" } as const;
  expect(() => new LoadedModel(engine, network, spec, { tiles: { height: 16, width: 16 } })).toThrow(/do not suit the model/);
  const model = new LoadedModel(engine, network, spec, { tiles });
  await expect(model.predict(someImages(1, 5, 31))).rejects.toThrow(
    "The image is 31x5, too small to be mirrored to a tile of 14x12",
  );
  const images = someImages(1, 20, 31);
  await expect(attack(model, images, undefined, pgd(), { memory: -1 })).rejects.toThrow("memory is a number of bytes above 0");
  await expect(attack(model, images, undefined, pgd({ steps: 1 }), { memory: 10 })).rejects.toThrow(
    /\b(memory|bytes|MiB|KiB|GiB)\b/,
  );
});

it("random noise needs no gradient: a model without one is enough for it", async () => {
  let compiled = 0;
  const counting: Engine = {
    ...engine,
    info: engine.info,
    evaluate: engine.evaluate,
    dispose: async () => {},
    compile: (graph, options) => {
      compiled++;
      return engine.compile(graph, options);
    },
    upload: (t) => engine.upload(t),
    download: (t) => engine.download(t),
    [Symbol.asyncDispose]: async () => {},
  };
  const counted = new LoadedModel(counting, network, { task: "segmentation", range: "0..1" });
  const images = someImages(2, 12, 14);
  const found = await attack(counted, images, undefined, noise({ epsilon: 0.1, restarts: 2 }));
  // the prediction that stands for the missing targets; what judges images; the start
  expect(compiled).toBe(3);
  expect(found.losses).toEqual([[], []]);
  expect(found.perturbation.every((p) => p > 0.09 && p <= 0.1 + 1e-6)).toBe(true);
});
