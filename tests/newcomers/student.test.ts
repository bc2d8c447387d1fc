import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { commandNames } from "../../src/app/cli/main.js";
import { faultline } from "../../src/app/cli/testing/scene.js";

// The first hour of a student who reproduces the restoration paper: two trainings, one with FGSM, and the table of both under attack, in commands alone.

const folder = mkdtempSync(join(tmpdir(), "faultline-student-"));
const before = process.cwd();

const config = (adversary: object) => ({
  task: "restoration",
  network: {
    ...{ family: "nafnet", activation: "simple-gate", attention: "simplified-channel" },
    ...{ width: 4, encoderBlocks: [1], middleBlocks: 1, decoderBlocks: [1] },
  },
  data: { kind: "synthetic", size: 32, length: 8, seed: 1, displacement: 0.25 },
  batch: 2,
  steps: 6,
  optimizer: { name: "adamw", learningRate: 0.005 },
  evaluation: { data: { kind: "synthetic", size: 32, length: 2, seed: 2, displacement: 0.25 }, every: 6 },
  ...adversary,
});

beforeAll(() => {
  process.chdir(folder);
  writeFileSync("plain.json", JSON.stringify(config({})));
  writeFileSync("robust.json", JSON.stringify(config({ adversary: { attack: "fgsm", epsilon: "8/255", share: 0.5 } })));
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

it("goes from two trainings to the table of both under attack", async () => {
  for (const name of ["plain", "robust"]) {
    const trained = await faultline("train", `${name}.json`);
    expect(trained.code).toBe(0);
    // What a network must beat stands below it.
    expect(trained.out).toMatch(/^loss .*, PSNR [\d.]+.*\ndegraded, as they are: PSNR [\d.]+/);
    // What the training wrote says all about itself, and bears its run's name.
    const { code, err } = await faultline(
      ...["attack", `runs/${name}/model.onnx`, "--data", `${name}.json`, "--attack", "pgd", "--steps", "2", "--no-audit"],
      ...["--out", `attacked/${name}`],
    );
    expect(code).toBe(0);
    expect(err).not.toContain("assumed");
    expect(readFileSync(`attacked/${name}/report.html`, "utf8")).toContain(`of ${name} on 2 images`);
  }
  const { out, code } = await faultline("report", "attacked/plain", "attacked/robust", "--out", "table");
  expect(code).toBe(0);
  expect(out).toMatch(/model +clean +PGD/);
  expect(out).toMatch(/^robust +\d/m);
  expect(existsSync("table/table.md")).toBe(true);
});

it("looks into both networks, each in a folder of its run's name, and says what the shares and the changes are", async () => {
  const criticality = ["--trials", "1", "--layers", "intro", "ending"];
  for (const name of ["plain", "robust"]) {
    const model = [`runs/${name}/model.onnx`, "--data", `${name}.json`];
    const rested = await faultline("criticality", ...model, ...criticality);
    expect([rested.code, rested.out]).toEqual([0, expect.stringContaining("normalized change, |y - y0|²")]);
    expect(readFileSync(`runs/${name}-criticality/report.html`, "utf8")).toContain(`Criticality of ${name}`);
    const { code, out } = await faultline("spectrum", ...model);
    expect([code, out]).toEqual([0, expect.stringContaining("share: of all energy, the mean's too")]);
    expect(readFileSync(`runs/${name}-spectrum/report.html`, "utf8")).toContain(`Spectrum of ${name}`);
  }
  for (const kind of ["criticality", "spectrum"])
    expect((await faultline(kind, "compare", `runs/plain-${kind}`, `runs/robust-${kind}`)).out).toMatch(/plain.*robust/);
});

it("makes the trained network in another size, and says which of a training's files are for that", async () => {
  const to = ["--size", "64x48", "-o", "larger.onnx"];
  const convert = async (weights: string, config: string) =>
    await faultline("convert", `runs/plain/${weights}`, "--config", config, ...to);
  const wrong = await convert("checkpoint.safetensors", "runs/plain/network.json");
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("give the weights alone")]);
  const training = await convert("model.safetensors", "plain.json");
  expect([training.code, training.err]).toEqual([
    1,
    expect.stringContaining("plain.json describes a training; give the network alone"),
  ]);
  expect(existsSync("larger.onnx")).toBe(false);
  expect((await convert("model.safetensors", "runs/plain/network.json")).code).toBe(0);
});

it("finds every command of docs/papers.md", () => {
  const page = readFileSync(new URL("../../docs/papers.md", import.meta.url), "utf8");
  for (const [, command] of page.matchAll(/npx faultline ([a-z]+)/g)) expect(commandNames()).toContain(command);
  for (const [, file] of page.matchAll(/npx tsx ([\w/.-]+)/g))
    expect(existsSync(new URL(`../../${file}`, import.meta.url)), file).toBe(true);
});
