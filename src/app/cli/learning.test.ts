import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readTensors } from "../../engine/tensor/tensor-files.js";
import type { Fitted } from "../../methods/attacks/fitted/fitted.js";
import { readImage } from "../../vision/data/node/image-file.js";
import { faultline, network, scratch, writeScenes } from "./testing/scene.js";

const folder = scratch();
const data = folder.path("data");
const samples = 8;
beforeAll(() => writeScenes(data, samples));
afterAll(() => folder.remove());

const model = network("segmentation");
const attack = (out: string, ...more: readonly string[]) =>
  faultline(
    "attack",
    model,
    "--task",
    "segmentation",
    "--data",
    data,
    "--no-audit",
    "--batch",
    "2",
    "--out",
    folder.path(out),
    ...more,
  );
const records = (out: string) =>
  readFileSync(folder.path(out, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { index: number; hidden?: number; loss: { adversarial: number } });
const learned = async (out: string, what: string) =>
  Object.fromEntries(await readTensors(folder.path(out, `${what}.safetensors`))) as Fitted;

it("universal: learned on a share, measured on the rest, applied again from its files, in parts too", async () => {
  const { code, err } = await attack("u", "--attack", "universal", "--epsilon", "8/255", "--steps", "4", "--fit-on", "0.75");
  expect(err).toContain("one perturbation for all samples, learned from 6 that are not measured");
  expect(code).toBe(0);
  expect(records("u")).toHaveLength(2);
  const { image } = await learned("u", "perturbation");
  expect(image!.shape).toEqual([1, 3, 12, 14]);
  expect(Math.max(...image!.data.map(Math.abs))).toBeLessThanOrEqual(8 / 255 + 1e-7);
  expect(existsSync(folder.path("u", "perturbation.png"))).toBe(true);
  expect(existsSync(folder.path("u", "perturbation.part.safetensors"))).toBe(false);
  expect(readFileSync(folder.path("u", "report.html"), "utf8")).toContain("What was learned");
  const again = [
    "--attack",
    "universal",
    "--epsilon",
    "8/255",
    "--steps",
    "4",
    "--perturbation",
    folder.path("u", "perturbation.npy"),
  ];
  expect((await attack("whole", ...again)).code).toBe(0);
  expect(records("whole")).toHaveLength(samples);
  for (const { index, loss } of records("u")) expect(records("whole")[index]!.loss.adversarial).toBeCloseTo(loss.adversarial, 5);
  for (const part of ["1/2", "2/2"]) expect((await attack(`part${part[0]}`, ...again, "--shard", part)).code).toBe(0);
  expect([...records("part1"), ...records("part2")].map(({ index }) => index).sort()).toEqual(
    records("whole").map(({ index }) => index),
  );
}, 60_000);

it("patch: what it hides is in no score, and what is around it stays", async () => {
  const flags = ["--attack", "patch", "--patch-size", "6", "--steps", "3", "--save", "float", "--print-size", "60"];
  expect((await attack("p", ...flags)).code).toBe(0);
  const { patch } = await learned("p", "patch");
  expect(patch!.shape).toEqual([1, 3, 6, 6]);
  expect(patch!.data.every((v) => v >= 0 && v <= 1)).toBe(true);
  expect((await readImage(folder.path("p", "patch.png"))).shape).toEqual([3, 60, 60]);
  const other = await attack("other", "--attack", "patch", "--patch-size", "5", "--perturbation", folder.path("p", "patch.npy"));
  expect(other.err).toContain("The patch that was learned is 6x6 pixels, not 5x5; leave out --patch-size.");
  for (const { hidden } of records("p")) {
    expect(hidden).toBeGreaterThan(20 / 168);
    expect(hidden).toBeLessThan(60 / 168);
  }
}, 60_000);

it.each([
  [
    ["--attack", "pgd", "--fit-on", "0.5"],
    "--fit-on goes with attacks that learn something for all images (universal, patch); pgd attacks each image by itself.",
  ],
  [
    ["--attack", "universal", "--fit-on", "2"],
    "--fit-on 2: write a share between 0 and 1, such as 0.5, or the folder of another data set.",
  ],
  [
    ["--attack", "universal", "--shard", "1/2"],
    "--shard: universal learns one perturbation for all samples; run it once without --shard, then the parts with --perturbation RUN/perturbation.safetensors.",
  ],
  [
    ["--attack", "universal", "--perturbation", "nowhere.npy"],
    "--perturbation nowhere.npy: no such file; a run of universal has perturbation.safetensors.",
  ],
  [
    ["--attack", "patch", "--patch-size", "40"],
    "A patch of 40x40 pixels, up to 1.2 times as large, does not fit into pictures of 14x12; take a smaller one with --patch-size, or less --scaling.",
  ],
  [
    ["--attack", "patch", "--limit", "1"],
    "patch learns on some samples and is measured on others, and there is only one; add samples, learn on other data with --fit-on, or apply",
  ],
  [
    ["--attack", "patch", "--placement", "left"],
    "--placement left: write random, center, or the place of its center as 120x80 (pixels from the left and from above).",
  ],
] as const)("%j is refused in a sentence", async (flags, sentence) => {
  const { code, err } = await attack("refused", ...flags);
  expect(code).toBe(1);
  expect(err).toContain(sentence);
});
