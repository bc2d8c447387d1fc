import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Sample } from "../../vision/data/dataset.js";
import { faultline, scratch, writeConvolution, writeScenes } from "../cli/testing/scene.js";
import { bySize } from "./by-size.js";

const sizes = ["8x10", "10x8", "8x10", "broken", "10x8", "8x10", "12x12"];
const sample = async (index: number): Promise<Sample> => {
  const [h, w] = sizes[index]!.split("x").map(Number);
  if (!w) throw new Error("damaged");
  return { id: String(index), inputs: { image: tensor("float32", [3, h!, w]) as Tensor<"float32"> } };
};
const single = sizes.map((_, i) => [i]);

describe("bySize", () => {
  it("puts what one program attacks together, in the order in which sizes come first", async () => {
    const found = await bySize({ sample }, { mismatch: "pad" }, single);
    expect(found).toEqual({ groups: [[0], [2], [5], [1], [4], [3], [6]], sizes: 3, programs: 3 });
  });

  it("leaves to a batch the samples that it has, and tells sizes of batches apart", async () => {
    const batches = [[0, 1, 2], [3, 4, 5], [6]];
    const found = await bySize({ sample }, { mismatch: "pad" }, batches);
    expect(found).toEqual({ groups: [[0, 2], [1], [4], [3], [5], [6]], sizes: 3, programs: 4 });
  });

  it("reads nothing where the plan gives all pictures one size", async () => {
    const never = () => Promise.reject(new Error("read"));
    const found = await bySize({ sample: never }, { mismatch: "pad", crop: { height: 8, width: 8 } }, single);
    expect(found).toMatchObject({ groups: single, sizes: 1, programs: 1 });
  });
});

describe("a data set of several sizes", () => {
  const folder = scratch();
  const data = folder.path("data");
  const model = folder.path("model.onnx");
  beforeAll(async () => {
    await writeConvolution(model, 5);
    // seven pictures, whose sizes take turns
    for (const [i, size] of [
      { height: 12, width: 14 },
      { height: 14, width: 12 },
      { height: 9, width: 9 },
    ].entries()) {
      await writeScenes(folder.path(`of${i}`), 7, (p) => p % 5, size);
      if (i > 0)
        for (let n = i; n < 7; n += 3)
          for (const part of ["images", "labels"])
            renameSync(folder.path(`of${i}`, part, `scene_${n}.png`), folder.path("of0", part, `scene_${n}.png`));
    }
    renameSync(folder.path("of0"), data);
  });
  afterAll(() => folder.remove());

  const run = (out: string, ...more: string[]) =>
    faultline(
      ...[
        "attack",
        model,
        "--task",
        "segmentation",
        "--data",
        data,
        "--out",
        folder.path(out),
        "--steps",
        "2",
        "--attack",
        "pgd",
      ],
      ...more,
    );
  const records = (out: string) => readFileSync(folder.path(out, "records.jsonl"), "utf8");

  it("is attacked size by size, recorded in the order of the data set, and resumed and joined to the same bytes", async () => {
    const { code, err } = await run("whole");
    expect(code).toBe(0);
    expect(err).toMatch(/pictures of 3 sizes: each is compiled for once/);
    const lines = records("whole").trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { index: number }).index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // as a run that was stopped leaves it: the records of a size, then of the next
    expect((await run("stopped")).code).toBe(0);
    writeFileSync(folder.path("stopped", "records.jsonl"), [0, 3, 1].map((i) => `${lines[i]}\n`).join(""));
    expect((await run("stopped")).err).toMatch(/resuming .*: 3 of 7/);
    expect(records("stopped")).toBe(records("whole"));
    for (const i of [1, 2]) expect((await run(`shard${i}`, "--shard", `${i}/2`)).code).toBe(0);
    expect((await faultline("merge", folder.path("shard1"), folder.path("shard2"), "--out", folder.path("merged"))).code).toBe(0);
    expect(records("merged")).toBe(records("whole"));
  });

  it("says how many programs batches make of the sizes", async () => {
    const { code, err } = await run("batches", "--batch", "4");
    expect(code).toBe(0);
    expect(err).toMatch(/pictures of 3 sizes, 4 with the sizes of their batches/);
    const alone = records("whole")
      .split("\n")
      .map((line) => line.slice(0, 60));
    expect(
      records("batches")
        .split("\n")
        .map((line) => line.slice(0, 60)),
    ).toEqual(alone);
  });
});
