import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { faultline } from "../../src/app/cli/testing/scene.js";
import { writeImage } from "../../src/vision/data/node/image-file.js";
import { syntheticDataset } from "../../src/vision/data/synthetic/dataset.js";

// The first hour of an engineer who ships a segmentation model: the README's commands in a fresh folder, in their order, each with what it must say.

const folder = mkdtempSync(join(tmpdir(), "faultline-engineer-"));
const before = process.cwd();
const model = "segmenter.onnx";
const json = <T>(...path: string[]): T => JSON.parse(readFileSync(join(folder, ...path), "utf8")) as T;

beforeAll(async () => {
  const { copyFileSync } = await import("node:fs");
  copyFileSync(fileURLToPath(new URL("../../fixtures/models/segmenter.onnx", import.meta.url)), join(folder, model));
  // Data as people have it: images/ and masks/, with a suffix.
  for (const name of ["images", "masks"]) mkdirSync(join(folder, "validation", name), { recursive: true });
  const scenes = syntheticDataset({ task: "segmentation", size: 96, length: 3, seed: 5 });
  for (let i = 0; i < 3; i++) {
    const { inputs, target } = await scenes.sample(i);
    await writeImage(join(folder, "validation/images", `street_${i}.png`), inputs.image!);
    await sharp(Uint8Array.from(target!.data as Int32Array), { raw: { width: 96, height: 96, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toFile(join(folder, "validation/masks", `street_${i}_mask.png`));
  }
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

it("looks at the model", async () => {
  const { out, code } = await faultline("inspect", model);
  expect(code).toBe(0);
  expect(out).toContain("gradient    exists");
});

it("finds out how it is fed, and keeps that beside it", async () => {
  const wrong = await faultline(
    "doctor",
    model,
    "--task",
    "segmentation",
    "--range",
    "0..255",
    "--data",
    "validation",
    "--write",
  );
  expect(wrong.code).toBe(1);
  expect(wrong.out).toContain("Try: --range 0..1");
  expect(json("segmenter.spec.json")).toMatchObject({ range: "0..1", channels: "rgb" });
  expect((await faultline("doctor", model, "--data", "validation")).code).toBe(0);
});

it("attacks it, and opens a report that can be mailed", async () => {
  const { out, err, code } = await faultline("attack", model, "--data", "validation", "--steps", "5", "--out", "run");
  expect(code).toBe(0);
  expect(err).not.toContain("assumed");
  expect(out).toContain("report.html");
  expect(existsSync(join(folder, "run/images/street_1.png"))).toBe(true);
  const report = readFileSync(join(folder, "run/report.html"), "utf8");
  expect(report).not.toMatch(/src="(?!data:)/);
  expect(report).not.toContain(folder);
  // The same run, whatever way its paths are spelt.
  const again = await faultline(
    "attack",
    join(folder, model),
    "--data",
    join(folder, "validation"),
    "--steps",
    "5",
    "--out",
    "run",
  );
  expect([again.code, again.err]).toEqual([0, expect.stringContaining("resuming run: 3 of 3 samples are done")]);
});

it("compares radii in one command", async () => {
  const { out, code } = await faultline(
    ...["attack", model, "--data", "validation", "--limit", "1", "--attack", "pgd,cospgd", "--epsilon", "2/255,8/255"],
    ...["--steps", "3", "--no-audit", "--out", "sweep"],
  );
  expect(code).toBe(0);
  expect(out).toMatch(/^attack +epsilon +mIoU, clean +adversarial/m);
  expect(existsSync(join(folder, "sweep/figures/epsilon.svg"))).toBe(true);
});

it("holds it to a bound in CI", async () => {
  const command = ["attack", model, "--data", "validation", "--steps", "5", "--out", "run", "--quiet", "--fail-under"];
  expect((await faultline(...command, "miou=0")).code).toBe(0);
  const missed = await faultline(...command, "miou=90");
  expect([missed.code, missed.out]).toEqual([2, ""]);
  expect(missed.err).toContain("below the 90.0");
});

it("needs no data to begin with", async () => {
  const { code, out } = await faultline("doctor", model, "--data", "synthetic", "--samples", "4");
  expect(code).toBe(0);
  expect(out).toContain("Nothing looks wrong");
});
