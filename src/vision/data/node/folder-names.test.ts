import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, it } from "vitest";
import { openDataset } from "./open.js";

// Folders as people have them.

const root = mkdtempSync(join(tmpdir(), "faultline-folders-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function picture(...path: string[]) {
  const file = join(root, ...path);
  mkdirSync(join(file, ".."), { recursive: true });
  const mask = /mask|label|gt|annot|Masks/.test(path[1]!);
  await sharp(new Uint8Array(mask ? 4 : 12).fill(1), { raw: { width: 2, height: 2, channels: mask ? 1 : 3 } })
    .toColourspace(mask ? "b-w" : "srgb")
    .png()
    .toFile(file);
}

it.each([
  ["masks", "images/a.png", "masks/a.png"],
  ["annotations", "images/a.png", "annotations/a.png"],
  ["gt", "img/a.png", "gt/a_gt.png"],
  ["suffixes", "images/a.png", "masks/a_mask.png"],
  ["capitals", "Images/a.png", "Masks/a.png"],
  ["usual", "images/a.png", "labels/a.png"],
])("finds the labels of %s", async (name, image, label) => {
  await picture(name, ...image.split("/"));
  await picture(name, ...label.split("/"));
  const dataset = await openDataset(join(root, name), { task: "segmentation" });
  expect(dataset.describe()).toContain("with labels");
  expect(Array.from((await dataset.sample(0)).target!.data as Int32Array)).toEqual([1, 1, 1, 1]);
});

it("names what is there where labels are not found, or belong to no picture", async () => {
  await picture("odd", "images", "a.png");
  await picture("odd", "semantics", "a.png");
  expect((await openDataset(join(root, "odd"), { task: "segmentation" })).describe()).toMatch(
    /without labels \(looked for in labels\/, masks\/.*there are the folders semantics/,
  );
  await picture("strange", "images", "a.png");
  await picture("strange", "masks", "b.png");
  await expect(openDataset(join(root, "strange"), { task: "segmentation" })).rejects.toThrow(
    /Not one of the 1 files in .*masks \(b\.png\) is named after a picture in .*images \(a\.png\)/,
  );
});
