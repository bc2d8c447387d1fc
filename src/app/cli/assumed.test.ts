import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeImage } from "../../vision/data/node/image-file.js";
import { syntheticDataset } from "../../vision/data/synthetic/dataset.js";
import type { Check } from "../attack/audit.js";
import { auditSchema, recordSchema, summarySchema } from "../attack/schemas.js";
import { faultline, scratch, writeScenes } from "./testing/scene.js";

// Nothing is assumed in silence: what nobody says of a model is named, and tested where the data can tell.

const folder = scratch();
const model = folder.path("segmenter.onnx");
afterAll(() => folder.remove());

beforeAll(async () => {
  copyFileSync(fileURLToPath(new URL("../../../fixtures/models/segmenter.onnx", import.meta.url)), model);
  await writeScenes(folder.path("scenes"), 0);
  const dataset = syntheticDataset({ task: "segmentation", size: 96, length: 4, seed: 77 });
  for (let i = 0; i < 4; i++) {
    const { inputs, target } = await dataset.sample(i);
    await writeImage(folder.path("scenes/images", `s${i}.png`), inputs.image!);
    await sharp(Uint8Array.from(target!.data as Int32Array), { raw: { width: 96, height: 96, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toFile(folder.path("scenes/labels", `s${i}.png`));
  }
});

const json = <T>(...names: string[]): T => JSON.parse(readFileSync(folder.path(...names), "utf8")) as T;
const fed = (out: string) => json<Check[]>(out, "audit.json").find((c) => c.name === "The model is fed what it expects");
const attack = (out: string, ...more: string[]) =>
  faultline(
    ...["attack", model, "--task", "segmentation", "--data", folder.path("scenes"), "--steps", "2", "--limit", "2"],
    ...["--out", folder.path(out), ...more],
  );

describe("an attack without --range", () => {
  it("says what it assumes, in the terminal, the plan and the report, and that the labels confirm it", async () => {
    const { err, code } = await attack("assumed");
    expect(code).toBe(0);
    expect(err).toMatch(
      /assumed, since neither flags nor .*segmenter\.spec\.json say it: value range 0\.\.1 \(--range\), channel order rgb/,
    );
    expect(json("assumed", "run.json")).toMatchObject({ assumed: ["range", "channels", "output.meaning"], format: 2 });
    expect(readFileSync(folder.path("assumed", "report.html"), "utf8")).toMatch(/<dt>Assumed<\/dt><dd>value range 0\.\.1/);
    expect(fed("assumed")?.verdict).toBe("passed");
  });

  it("fails the audit where the doctor would call it wrong", async () => {
    expect((await attack("wrong", "--range", "0..255")).out).toContain("FAIL  The model is fed what it expects");
    expect(fed("wrong")).toMatchObject({ verdict: "failed", sentence: expect.stringContaining("(--range 0..1)") });
  });

  it("writes files that are as their schemas say", async () => {
    expect(() => summarySchema.parse(json("assumed", "summary.json"))).not.toThrow();
    expect(() => auditSchema.parse(json("assumed", "audit.json"))).not.toThrow();
    for (const line of readFileSync(folder.path("assumed", "records.jsonl"), "utf8").trim().split("\n"))
      expect(() => recordSchema.parse(JSON.parse(line))).not.toThrow();
  });
});

describe("the doctor", () => {
  const doctor = (...more: string[]) => faultline("doctor", model, "--data", folder.path("scenes"), ...more);

  it("has exit code 1 where something is wrong, and writes down what it found", async () => {
    const wrong = await doctor("--task", "segmentation", "--range", "0..255", "--write");
    expect(wrong.code).toBe(1);
    expect(wrong.out).toContain("Try: --range 0..1");
    expect(json("segmenter.spec.json")).toMatchObject({
      task: "segmentation",
      range: "0..1",
      channels: "rgb",
      output: { meaning: "logits" },
    });
    const right = await doctor();
    expect(right.code).toBe(0);
    expect(right.out).not.toContain("Assumed");
  });

  it("keeps the shape of pictures that the model does not take, and says so", async () => {
    const wide = folder.path("wide/p.png");
    mkdirSync(folder.path("wide"));
    await sharp({ create: { width: 451, height: 300, channels: 3, background: "#845" } })
      .png()
      .toFile(wide);
    const { out } = await faultline("doctor", model, "--task", "segmentation", "--data", folder.path("wide"));
    expect(out).toContain("Pictures are 300x451 (height x width): scaled to 64x96, their shape kept");
    const stretched = await faultline(
      "doctor",
      model,
      "--task",
      "segmentation",
      "--data",
      folder.path("wide"),
      "--mismatch",
      "resize",
    );
    expect(stretched.out).toMatch(/\?\s+pictures .*narrows their shape by 1\.50/);
  });
});

describe("the sidecar", () => {
  it("takes what the flags take", async () => {
    writeFileSync(
      folder.path("words.spec.json"),
      JSON.stringify({ task: "segmentation", range: "imagenet", size: "multiple:8" }),
    );
    const { out, code } = await faultline("spec", model, "--spec", folder.path("words.spec.json"));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ range: { mean: [0.485, 0.456, 0.406] } });
    writeFileSync(folder.path("words.spec.json"), JSON.stringify({ task: "segmentation", size: "multiple:x" }));
    expect((await faultline("spec", model, "--spec", folder.path("words.spec.json"))).err).toContain(
      "size: must be any, multiple:32, fixed:480x640",
    );
  });

  it.each(["spec", "run", "record", "summary", "audit", "card"])("has a schema, as %s has", async (name) => {
    const { out, code } = await faultline("spec", "--schema", name);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toHaveProperty("$schema");
  });
});
