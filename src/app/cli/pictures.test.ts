import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { add, averagePool, concat, flatten, matMul, mul, sub } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { parseSafetensors } from "../../engine/tensor/safetensors.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { readImage } from "../../vision/data/node/image-file.js";
import type { AttackRecord } from "../attack/run-attack.js";
import { faultline, scratch } from "./testing/scene.js";

// What is attacked, measured and saved is the picture, whatever size the model needs.

const folder = scratch();
afterAll(() => folder.remove());

async function writePicture(path: string, height: number, width: number, value: (i: number) => number, channels: 1 | 3 = 3) {
  mkdirSync(join(path, ".."), { recursive: true });
  await sharp(
    Uint8Array.from({ length: channels * height * width }, (_, i) => value(i)),
    { raw: { width, height, channels } },
  )
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .png()
    .toFile(path);
}

async function writeModel(path: string, shape: readonly number[], of: (image: Value) => Value): Promise<string> {
  const graph = new Graph();
  graph.output("y", of(graph.input("image", "float32", shape)));
  await saveModel(graph.build(), folder.path(path));
  return folder.path(path);
}

const noise = new Random(3, "pictures");
const anything = () => noise.integer(256);
const blur = (image: Value) => averagePool(image, [3, 3], { pads: [1, 1, 1, 1] });
const records = (out: string): AttackRecord[] =>
  readFileSync(folder.path(out, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("a model that takes only some sizes", () => {
  beforeAll(async () => {
    await writePicture(folder.path("blurred/input/a.png"), 9, 9, anything);
    await writePicture(folder.path("blurred/target/a.png"), 9, 9, anything);
    await writePicture(folder.path("scenes/images/a.png"), 13, 10, anything);
    await writePicture(folder.path("scenes/labels/a.png"), 13, 10, (i) => i % 3, 1);
  });

  it("restores the picture itself: the file, PSNR and the size of the perturbation are of 9x9", async () => {
    const model = await writeModel("blur.onnx", [1, 3, 16, 16], blur);
    const { code, out } = await faultline(
      ...["attack", model, "--task", "restoration", "--range", "0..1", "--data", folder.path("blurred"), "--norm", "l_2"],
      ...["--epsilon", "1", "--steps", "5", "--attack", "pgd", "--out", folder.path("restored")],
    );
    expect(code).toBe(0);
    expect(out).toContain("1 mirrored at the edges within the predictor");
    const [record] = records("restored");
    expect(record!.size).toEqual([9, 9]);
    const [clean, saved, target] = await Promise.all(
      [
        folder.path("blurred/input/a.png"),
        folder.path("restored", record!.files!.image!),
        folder.path("blurred/target/a.png"),
      ].map((path) => readImage(path)),
    );
    expect(saved!.shape).toEqual([3, 9, 9]);
    const length = Math.hypot(...saved!.data.map((v, i) => v - clean!.data[i]!));
    expect(record!.perturbation!.image!.l_2).toBeCloseTo(length, 5);
    // the blur of the mirrored 16x16 picture, cropped
    const mirror = (i: number) => (i < 9 ? i : 16 - i);
    const at = (c: number, y: number, x: number) =>
      y < 0 || x < 0 ? undefined : saved!.data[(c * 9 + mirror(y)) * 9 + mirror(x)]!;
    let squares = 0;
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < 9; y++)
        for (let x = 0; x < 9; x++) {
          const near = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => at(c, y + dy, x + dx))).filter((v) => v !== undefined);
          const mean = near.reduce((a, b) => a + b, 0) / near.length;
          squares += (mean - target!.data[(c * 9 + y) * 9 + x]!) ** 2;
        }
    const psnr = -10 * Math.log10(squares / 243);
    expect(record!.scores!.saved.truth!.value).toBeCloseTo(psnr, 3);
  });

  it.each([
    ["truth", []],
    ["prediction", ["--reference", "prediction"]],
    ["stretched", ["--mismatch", "resize"]],
  ] as const)("segments the picture itself: 130 pixels count (%s)", async (name, flags) => {
    const model = await writeModel(`segment-${name}.onnx`, [1, 3, 16, 16], (image) => mul(sub(blur(image), 0.5), 4));
    const { code } = await faultline(
      ...["attack", model, "--task", "segmentation", "--range", "0..1", "--data", folder.path("scenes"), "--attack", "pgd"],
      ...["--steps", "2", "--out", folder.path(name), ...flags],
    );
    expect(code).toBe(0);
    const [record] = records(name);
    for (const reference of ["truth", "prediction"] as const)
      expect((record!.scores!.saved[reference]!.detail as { pixels: number }).pixels, reference).toBe(130);
    expect((await readImage(folder.path(name, record!.files!.image!))).shape).toEqual([3, 13, 10]);
  });

  it("says how pictures were brought to its size", async () => {
    const summary = JSON.parse(readFileSync(folder.path("stretched/summary.json"), "utf8"));
    expect(summary.framing).toEqual({ padded: 0, scaled: 1 });
    expect(readFileSync(folder.path("stretched/report.html"), "utf8")).toContain(
      "the model takes 16x16 only: of the pictures 1 scaled to its size (stretched) within the predictor",
    );
  });
});

describe("classification", () => {
  const classes = 300;
  beforeAll(async () => {
    for (const label of [254, 255, 256]) await writePicture(folder.path("classes", String(label), "a.png"), 4, 4, anything);
  });

  it("has a class 255 like any other", async () => {
    const weights = Float32Array.from({ length: 48 * classes }, () => noise.normal(0, 1));
    const model = await writeModel("classes.onnx", [1, 3, 4, 4], (image) =>
      matMul(flatten(image, 1), image.graph.constant(tensor("float32", [48, classes], weights))),
    );
    const common = ["attack", model, "--task", "classification", "--range", "0..1", "--attack", "pgd", "--steps", "3"];
    const { code } = await faultline(...common, "--data", folder.path("classes"), "--out", folder.path("counted"));
    expect(code).toBe(0);
    const done = records("counted");
    expect(done.map((r) => r.error)).toEqual([undefined, undefined, undefined]);
    done.forEach((r) => {
      expect(r.loss!.adversarial, r.sample).toBeGreaterThan(r.loss!.clean);
    });
    await faultline(...common, "--data", folder.path("classes"), "--target", "255", "--out", folder.path("wanted"));
    records("wanted").forEach((r) => {
      expect(r.loss!.adversarial, r.sample).toBeLessThan(r.loss!.clean);
    });
  });

  it("takes a seeded choice of samples where a limit is set", async () => {
    const model = await writeModel("three.onnx", [1, 3, 4, 4], (image) => concat([flatten(image, 1)], 1));
    for (const label of ["a", "b", "c"])
      for (let i = 0; i < 6; i++) await writePicture(folder.path("sorted", label, `${i}.png`), 4, 4, anything);
    const limited = async (out: string, seed: string) => {
      await faultline(
        ...["attack", model, "--task", "classification", "--range", "0..1", "--data", folder.path("sorted"), "--attack", "fgsm"],
        ...["--limit", "6", "--seed", seed, "--out", folder.path(out)],
      );
      return records(out).map((r) => r.sample);
    };
    const [first, again, other] = [await limited("l1", "4"), await limited("l2", "4"), await limited("l3", "5")];
    expect(first).toHaveLength(6);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(new Set(first.map((s) => s.split("/")[0])).size).toBeGreaterThan(1);
  });
});

describe("what is kept", () => {
  it("the headline is that of the floats, which --save float keeps; the 8-bit files stand beside it", async () => {
    await writePicture(folder.path("plain/a/0.png"), 16, 16, () => 120);
    const weights = Float32Array.from({ length: 768 * 2 }, (_, i) => (i % 2 === 0 ? 1 : -1) / 768);
    const bias = tensor("float32", [1, 2], [0.01, 2 * (120 / 255)]);
    // nearly undecided: a change of far less than a level in every value tips it
    const model = await writeModel("tipping.onnx", [1, 3, 16, 16], (image) =>
      add(matMul(flatten(image, 1), image.graph.constant(tensor("float32", [768, 2], weights))), image.graph.constant(bias)),
    );
    const { code } = await faultline(
      ...["attack", model, "--task", "classification", "--range", "0..1", "--data", folder.path("plain"), "--attack", "pgd"],
      ...["--norm", "l_2", "--epsilon", "0.2", "--steps", "5", "--save", "float", "--out", folder.path("tipped")],
    );
    expect(code).toBe(0);
    const [record] = records("tipped");
    expect(record!.scores!.adversarial.truth!.value).toBe(0);
    const { tensors } = parseSafetensors(readFileSync(folder.path("tipped", record!.floats!)));
    const found = tensors.get("image")!;
    expect(found.shape).toEqual([3, 16, 16]);
    const length = Math.hypot(...Array.from(found.data as Float32Array, (v) => v - Math.fround(120 / 255)));
    expect(length).toBeLessThanOrEqual(0.2 * (1 + 1e-5));
    expect(length).toBeGreaterThan(0.19);
    expect(readFileSync(folder.path("tipped/report.html"), "utf8")).toContain("from 100.0\u00a0% to 0.0\u00a0%");
  });
});
