import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tensor } from "../../../engine/tensor/tensor.js";
import { writeDepthPng } from "../../tasks/depth/files.js";
import { taskNames, tasks } from "../../tasks/index.js";
import { syntheticDataset } from "../synthetic/dataset.js";
import { writeImage } from "./image-file.js";
import { openDataset } from "./open.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "depth-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const truth = { target: tensor("float32", [1, 2, 3], [1.5, 2, 0, 4, 8, 16]), valid: tensor("bool", [2, 3], [1, 1, 0, 1, 1, 1]) };

async function picture(...path: string[]): Promise<void> {
  mkdirSync(dirname(join(root, ...path)), { recursive: true });
  await writeImage(join(root, ...path), tensor("float32", [3, 2, 3], new Float32Array(18).fill(0.4)));
}

function depthMap(unit: "millimeters" | "kitti", ...path: string[]): void {
  mkdirSync(dirname(join(root, ...path)), { recursive: true });
  writeFileSync(join(root, ...path), writeDepthPng(truth, unit));
}

describe("layouts of depth", () => {
  it("nyu-depth: official splits, millimeters", async () => {
    await picture("nyu/official_splits/test/bathroom/rgb_00045.png");
    depthMap("millimeters", "nyu/official_splits/test/bathroom/sync_depth_00045.png");
    const dataset = await openDataset(join(root, "nyu"), { task: "depth" });
    expect(dataset.name).toBe("nyu-depth");
    expect(await dataset.sample(0)).toMatchObject({ id: "bathroom/00045", ...truth });
    await expect(openDataset(join(root, "nyu"), { task: "segmentation" })).rejects.toThrow(/no layout known for segmentation/);
  });

  it("kitti-depth: the selection, meters times 256", async () => {
    await picture("selection/val_selection_cropped/image/2011_09_26_drive_0002_sync_image_0000000005_image_02.png");
    depthMap(
      "kitti",
      "selection/val_selection_cropped/groundtruth_depth/2011_09_26_drive_0002_sync_groundtruth_depth_0000000005_image_02.png",
    );
    const dataset = await openDataset(join(root, "selection"), { task: "depth" });
    expect(dataset).toMatchObject({ name: "kitti-depth", length: 1 });
    expect(await dataset.sample(0)).toMatchObject(truth);
  });

  it("kitti-depth: annotated maps with the raw data's pictures; maps without a picture are left out", async () => {
    const drive = "2011_09_26_drive_0005_sync";
    depthMap("kitti", `annotated/val/${drive}/proj_depth/groundtruth/image_02/0000000007.png`);
    depthMap("kitti", `annotated/val/${drive}/proj_depth/groundtruth/image_02/0000000008.png`);
    await picture(`annotated/2011_09_26/${drive}/image_02/data/0000000007.png`);
    const dataset = await openDataset(join(root, "annotated"), { task: "depth" });
    expect(dataset).toMatchObject({ name: "kitti-depth", length: 1 });
    expect(await dataset.sample(0)).toMatchObject({ id: `${drive}/image_02/0000000007`, ...truth });
  });

  it("says what it looked for", async () => {
    mkdirSync(join(root, "empty"));
    await expect(openDataset(join(root, "empty"), { task: "depth" })).rejects.toThrow(
      /nyu-depth \(official_splits.*kitti-depth \(val_selection_cropped.*folder \(pictures in images\/ \(with labels\/\), or rgb\/ \(with depth\/\), or the folder itself\)/,
    );
  });
});

const mapTasks = taskNames.filter((task) => tasks[task].folder.labels.kind === "maps");

it.each(mapTasks)("a plain folder for %s gives back what the task's writer wrote", async (task) => {
  const { folder } = tasks[task];
  const made = await syntheticDataset({ task, size: 24, length: 1, seed: 3 }).sample(0);
  const [{ inputs, labels }] = folder.arrangements as [(typeof folder.arrangements)[number]];
  for (const [role, name] of Object.entries(inputs)) {
    mkdirSync(join(root, task, name), { recursive: true });
    await writeImage(join(root, task, name, "one.png"), made.inputs[role]!);
  }
  mkdirSync(join(root, task, labels!), { recursive: true });
  if (folder.labels.kind !== "maps") throw new Error("not a map");
  const [extension] = Object.keys(folder.labels.readers);
  const target = made.target as ReturnType<typeof tensor<"float32">>;
  writeFileSync(join(root, task, labels!, `one${extension}`), folder.labels.write({ target, valid: made.valid! }));
  const read = await (await openDataset(join(root, task), { task, format: "folder" })).sample(0);
  expect(read.valid).toEqual(made.valid);
  for (const [i, v] of (read.target!.data as Float32Array).entries())
    if (made.valid!.data[i % made.valid!.data.length] === 1) expect(Math.abs(v - target.data[i]!)).toBeLessThan(0.00051);
});
