import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { unstack } from "../../engine/tensor/arrays.js";
import { type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { LoadedModel } from "./loaded-model.js";
import { loadModel } from "./node.js";
import { classes, smallClassifier, someImages } from "./testing/small-classifier.js";

const spec = { task: "classification", range: "-1..1", channels: "rgb", output: { meaning: "logits" } } as const;

let engine: Engine;
let model: LoadedModel;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  model = new LoadedModel(engine, smallClassifier(), spec, { batch: 2 });
});
afterAll(() => engine.dispose());

const five = someImages(5);
const labels = [0, 1, 2, 3, 4];
const near = (a: Tensor, b: Tensor) => {
  expect(a.shape).toEqual(b.shape);
  toNumbers(a).forEach((v, i) => expect(v).toBeCloseTo(Number(b.data[i]), 5));
};

describe("predict", () => {
  it("gives the same for every way of cutting images into batches, for a list, and for a model of a fixed batch", async () => {
    const logits = await model.predict(five);
    expect(logits.shape).toEqual([5, classes]);
    for (const batch of [1, 3, 5, 8]) near(await model.predict(five, { batch }), logits);
    near(await model.predict([0, 1, 2, 3, 4].map((i) => unstack(five, i))), logits);
    near(await new LoadedModel(engine, smallClassifier(3), spec).predict(five), logits);
    for (let i = 0; i < 5; i++) {
      const alone = await model.predict([unstack(five, i)], { batch: 1 });
      toNumbers(alone).forEach((v, k) => expect(v).toBeCloseTo(logits.data[i * classes + k]!, 5));
    }
  });

  it("tells how far it is, and stops between batches", async () => {
    const seen: string[] = [];
    await model.predict(five, { onProgress: ({ done, total }) => seen.push(`${done}/${total}`) });
    expect(seen).toEqual(["2/5", "4/5", "5/5"]);
    const stop = new AbortController();
    const stopped = model.predict(five, { signal: stop.signal, onProgress: ({ done }) => done === 4 && stop.abort() });
    await expect(stopped).rejects.toThrow(/abort/i);
  });

  it("keeps few programs, and works again for a size that it forgot", async () => {
    const logits = await model.predict(five);
    for (const side of [9, 10, 11, 12, 13]) await model.predict(someImages(1, side, side));
    expect(await model.predict(five)).toEqual(logits);
  });
});

describe("evaluate", () => {
  it("is top-1, and the cross-entropy of each image", async () => {
    const logits = await model.predict(five);
    const { metrics, loss, correct, scores } = await model.evaluate(five, labels);
    const rows = labels.map((_, i) => toNumbers(unstack(logits, i)));
    const right = rows.map((row, i) => (row.indexOf(Math.max(...row)) === labels[i] ? 1 : 0));
    expect([...correct]).toEqual(right);
    expect(scores).toEqual(right);
    expect(metrics["top-1"]).toBeCloseTo(right.reduce((a: number, b) => a + b, 0) / 5, 10);
    rows.forEach((row, i) => {
      const sum = row.reduce((s, v) => s + Math.exp(v), 0);
      expect(loss[i]).toBeCloseTo(Math.log(sum) - row[labels[i]!]!, 5);
    });
  });

  it("takes labels as tensors of any integer type, as numbers and as floats that are whole", async () => {
    const { loss } = await model.evaluate(five, labels);
    for (const same of [
      tensor("int64", [5], labels),
      tensor("int32", [5], labels),
      tensor("float32", [5], labels),
      Uint8Array.from(labels),
    ])
      expect((await model.evaluate(five, same)).loss).toEqual(loss);
  });
});

describe("gradient", () => {
  /** Central differences of a sum over the images, at some pixels. */
  async function expectSlope(gradient: Tensor, value: (images: Tensor<"float32">) => Promise<ArrayLike<number>>) {
    const h = 2e-3;
    for (const at of [0, 100, 391, 700, 959]) {
      const moved = async (by: number) => {
        const data = five.data.slice();
        data[at]! += by;
        return Array.from(await value(tensor("float32", five.shape, data))).reduce((a, b) => a + b, 0);
      };
      const slope = ((await moved(h)) - (await moved(-h))) / (2 * h);
      expect(Math.abs(Number(gradient.data[at]) - slope)).toBeLessThan(3e-3 + 0.02 * Math.abs(slope));
    }
  }

  it("is that of each image's own loss, whatever the batch", async () => {
    const { gradient, loss, warnings } = await model.gradient(five, labels);
    expect(gradient.shape).toEqual(five.shape);
    expect(loss).toEqual((await model.evaluate(five, labels)).loss);
    expect(warnings).toEqual([]);
    await expectSlope(gradient, async (images) => (await model.evaluate(images, labels)).loss);
    near((await model.gradient(five, labels, { batch: 5 })).gradient, gradient);
  });

  it("of a value within the model, by its module's path: of its mean, and of its distance from features", async () => {
    const features = await model.features(five, "layer1.0.relu");
    expect(features.shape).toEqual([5, 6, 8, 8]);
    const meanOf = async (images: Tensor<"float32">) => {
      const f = await model.features(images, "layer1.0.relu");
      return Array.from({ length: 5 }, (_, i) => toNumbers(unstack(f, i)).reduce((a, b) => a + b, 0) / 384);
    };
    const of = await model.gradient(five, undefined, { of: "layer1.0.relu" });
    await expectSlope(of.gradient, meanOf);
    const wanted = tensor(
      "float32",
      features.shape,
      toNumbers(features).map((v) => v + 0.5),
    );
    const towards = await model.gradient(five, wanted, { of: "layer1.0.relu" });
    for (const loss of towards.loss) expect(loss).toBeCloseTo(0.25, 5);
    await expectSlope(towards.gradient, async (images) => {
      const f = toNumbers(await model.features(images, "layer1.0.relu"));
      return [f.reduce((sum, v, i) => sum + (v - Number(wanted.data[i])) ** 2, 0) / 384];
    });
  });

  it("by a value within the model is what Grad-CAM weighs its maps with", async () => {
    const { gradient } = await model.gradient(five, labels, { wrt: "layer1" });
    expect(gradient.shape).toEqual([5, 6, 8, 8]);
    // Behind it come a mean over the pixels and a linear layer: the gradient is the same at every pixel of a map.
    const first = toNumbers(gradient).slice(0, 64);
    expect(new Set(first.map((v) => v.toFixed(6))).size).toBe(1);
    expect(first[0]).not.toBe(0);
  });

  it("warns of gradients that are 0", async () => {
    const closed = new LoadedModel(engine, smallClassifier("N", -100), spec);
    const flat = await closed.gradient(someImages(2), [0, 1]);
    expect(flat.warnings).toEqual([expect.stringMatching(/^The gradient is 0 everywhere for 2 of 2 images \(0, 1\)/)]);
  });
});

const wrong: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
  [
    "0..255",
    () => model.predict(tensor("float32", [1, 3, 8, 8], new Float32Array(192).fill(255))),
    /Image 0 at channel 0, row 0, column 0 is 255, but images are in \[0, 1\] here whatever the model takes; divide by 255/,
  ],
  [
    "normalized images",
    () => model.predict(tensor("float32", [1, 3, 8, 8], new Float32Array(192).fill(-2.1))),
    /is -2\.\d+, but .* before normalization/,
  ],
  [
    "a NaN",
    () =>
      model.predict(
        tensor(
          "float32",
          [2, 3, 8, 8],
          Float32Array.from({ length: 384 }, (_, i) => (i === 265 ? Number.NaN : 0.5)),
        ),
      ),
    /Image 1 at channel 1, row 1, column 1 is not a number/,
  ],
  ["bytes", () => model.predict(tensor("uint8", [1, 3, 8, 8])), /is uint8\[1, 3, 8, 8\].*divide by 255, or use imageFromSamples/],
  ["channels last", () => model.predict(tensor("float32", [1, 8, 8, 3])), /with the channels last; put them first/],
  ["a gray image", () => model.predict(tensor("float32", [1, 1, 8, 8])), /gray; repeat the channel three times/],
  ["one image", () => model.predict(tensor("float32", [3, 8, 8])), /one image without a batch axis; give it as a list/],
  ["no image", () => model.predict([]), /an empty list/],
  [
    "images of two sizes",
    () => model.predict([tensor("float32", [3, 8, 8]), tensor("float32", [3, 9, 8])]),
    /Image 1 is float32\[3, 9, 8\], but image 0 is/,
  ],
  ["numbers", () => model.predict([1, 2] as unknown as Tensor[]), /Image 0 of the list is no tensor/],
  ["nothing", () => model.predict(undefined as unknown as Tensor), /There are no images, but undefined/],
  ["two images for one", () => model.predict({ left: five, right: five }), /classification has no image "left"; it has image/],
  ["too few labels", () => model.evaluate(five, [1, 2]), /There are 5 images, but labels for 2/],
  [
    "a label beyond the classes",
    () => model.evaluate(five, [0, 1, 2, 3, 7]),
    /A label of image 4 is 7, but the model's classes are 0 to 4/,
  ],
  [
    "a negative label",
    () => model.evaluate(five, [0, -1, 2, 3, 4]),
    /A label of image 1 is -1, but the model's classes are 0 to 4/,
  ],
  [
    "a fractional label",
    () => model.evaluate(five, [0, 1.5, 2, 3, 4]),
    /A label of image 1 is 1\.5, but labels are whole numbers/,
  ],
  ["a label that is none", () => model.evaluate(five, [0, Number.NaN, 2, 3, 4]), /A label of image 1 is NaN/],
  ["one-hot labels", () => model.evaluate(five, tensor("float32", [5, 5])), /one-hot or scores, take their argmax/],
  ["texts", () => model.evaluate(five, ["cat"] as unknown as number[]), /Entry 0 of the labels is string, no number/],
  ["no labels", () => model.evaluate(five, undefined as unknown as number[]), /There are no labels, but undefined/],
  ["no targets for a gradient", () => model.gradient(five, undefined), /gradient needs targets/],
  [
    "labels where features belong",
    () => model.gradient(five, labels, { of: "layer1.0.relu" }),
    /"layer1\.0\.relu" is float32\[5, 6, 8, 8\] .*say \{ wrt: "layer1\.0\.relu" \}/,
  ],
  [
    "a value that is not there",
    () => model.features(five, "layer1.0.rellu"),
    /no value, node or module "layer1\.0\.rellu"; the nearest names are "layer1\.0\.relu"/,
  ],
  ["a weight as a feature", () => model.features(five, "constant"), /does not hold one entry for each image|has no value/],
  ["no batch", () => model.predict(five, { batch: 0 }), /A batch is a whole number of at least 1 image, not 0/],
  [
    "a loss that is not there",
    () => model.evaluate(five, labels, { loss: "hinge" }),
    /has no loss "hinge"; it has cross-entropy, dlr/,
  ],
  ["no task", () => loadModel(smallClassifier()), /Say what the model predicts/],
  ["a specification of another model", () => loadModel(smallClassifier(), { task: "flow" }), /flow needs the images/],
  ["a missing file", () => loadModel("/nowhere/net.onnx", spec), /net\.onnx: no such file/],
];

describe("says in one sentence what is wrong", () => {
  it.each(wrong)("%s", async (_, call, sentence) => {
    const error = await call().then(
      () => undefined,
      (e: unknown) => e as Error,
    );
    expect(error?.message).toMatch(sentence);
    expect(error!.message).toMatch(/\.$/);
    expect(error!.message.split("\n")).toHaveLength(1);
  });
});

it("what nobody said of a model is in its warnings, and so is what its images go through", async () => {
  const loaded = await loadModel(
    smallClassifier(),
    { task: "classification", size: { rule: "fixed", height: 8, width: 8 } },
    { engine },
  );
  expect(loaded.assumed.map(({ field }) => field)).toEqual(["range", "channels", "output.meaning"]);
  const { warnings } = await loaded.gradient(someImages(1, 6, 12), [0]);
  expect(warnings[0]).toBe("The value range is assumed to be 0..1, since nothing says it; say range in the specification.");
  expect(warnings.at(-1)).toBe(
    "The model does not take images of 6x12 (height x width); they are scaled to 4x8 and mirrored at the edge up to 8x8.",
  );
});

it("is disposed of with the engine that it started, and leaves a given one alone", async () => {
  const own = await loadModel(smallClassifier(), spec, { threads: 1 });
  await own.predict(five);
  await own.dispose();
  await own.dispose();
  await expect(own.predict(five)).rejects.toThrow("The model was disposed of; load it again.");
  await expect(own.engine.compile(smallClassifier())).rejects.toThrow();
  {
    await using shared = await loadModel(smallClassifier(), spec, { engine });
    await shared.predict(five);
  }
  expect((await model.predict(five)).shape).toEqual([5, classes]);
});

it("a detector whose file leaves its outputs' axes open has the head that they show when they are read", async () => {
  const bytes = readFileSync(new URL("../../../fixtures/models/detector.onnx", import.meta.url));
  const detector = await loadModel(bytes, { task: "detection", range: "0..1" }, { threads: 1 });
  expect(detector.spec.output.head).toBe("yolov8");
  expect(detector.assumed.find((a) => a.field === "output.head")?.value).toBe("yolov8");
  await detector.dispose();
});
