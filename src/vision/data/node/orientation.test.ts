import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, it } from "vitest";
import { readImage } from "./image-file.js";
import { openDataset } from "./open.js";

const root = mkdtempSync(join(tmpdir(), "faultline-exif-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it.each([1, 2, 3, 4, 5, 6, 7, 8])("EXIF orientation %i turns a mask with its picture", async (orientation) => {
  const [height, width] = [3, 4];
  const folder = join(root, String(orientation));
  for (const name of ["images", "labels"]) mkdirSync(join(folder, name), { recursive: true });
  const labels = Uint8Array.from({ length: height * width }, (_, i) => i);
  const gray = sharp(labels, { raw: { width, height, channels: 1 } });
  await gray
    .clone()
    .png()
    .toColourspace("b-w")
    .toFile(join(folder, "labels", "a.png"));
  // the picture shows each pixel's label, so that the two can be compared after turning
  await sharp(
    Uint8Array.from({ length: 3 * height * width }, (_, i) => 10 * labels[Math.floor(i / 3)]!),
    {
      raw: { width, height, channels: 3 },
    },
  )
    .png()
    .withMetadata({ orientation })
    .toFile(join(folder, "images", "a.png"));
  const dataset = await openDataset(folder, { task: "segmentation" });
  const { inputs, target } = await dataset.sample(0);
  const picture = await readImage(join(folder, "images", "a.png"));
  expect(target!.shape).toEqual(picture.shape.slice(1));
  const shown = Array.from(inputs.image!.data.slice(0, height * width), (v) => Math.round((v * 255) / 10));
  expect(Array.from(target!.data, Number)).toEqual(shown);
});
