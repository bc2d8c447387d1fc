import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { objectsOf } from "../../tasks/detection/boxes.js";
import { openDataset } from "./open.js";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "faultline-boxes-"));
  const picture = (orientation = 1) =>
    sharp({ create: { width: 40, height: 20, channels: 3, background: "gray" } })
      .withMetadata({ orientation })
      .jpeg();
  const write = (path: string, text: string) => writeFileSync(join(root, path), text);
  for (const folder of [
    "coco/annotations",
    "coco/images/train",
    "voc/JPEGImages",
    "voc/Annotations",
    "voc/ImageSets/Main",
    "yolo/images/val",
    "yolo/labels/val",
  ])
    mkdirSync(join(root, folder), { recursive: true });
  await picture().toFile(join(root, "coco/images/train/a.jpg"));
  // Shown, it is 20 wide and 40 high.
  await picture(6).toFile(join(root, "coco/images/train/b.jpg"));
  const coco = (more: object) =>
    JSON.stringify({
      images: [
        { id: 7, file_name: "b.jpg", width: 40, height: 20 },
        { id: 3, file_name: "a.jpg", width: 40, height: 20 },
      ],
      annotations: [
        { image_id: 7, category_id: 90, bbox: [30, 5, 10, 4], area: 31.5, iscrowd: 0 },
        { image_id: 3, category_id: 1, bbox: [0, 0, 10, 10], iscrowd: 1 },
      ],
      categories: [
        { id: 90, name: "toothbrush" },
        { id: 1, name: "person" },
      ],
      ...more,
    });
  write("coco/annotations/instances_train.json", coco({}));
  write("coco/annotations/instances_broken.json", coco({ annotations: [{ image_id: 7, category_id: 5, bbox: [0, 0, 1, 1] }] }));
  await picture().toFile(join(root, "voc/JPEGImages/2007_1.jpg"));
  write("voc/ImageSets/Main/val.txt", "2007_1\n");
  const object = (name: string, difficult: number) =>
    `<object><name>${name}</name><part><name>head</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></part><difficult>${difficult}</difficult><bndbox><xmin>1</xmin><ymin>3</ymin><xmax>40</xmax><ymax>20</ymax></bndbox></object>`;
  write(
    "voc/Annotations/2007_1.xml",
    `<?xml version="1.0"?><annotation><size><width>40</width><height>20</height></size>${object("person", 0)}${object("dog", 1)}</annotation>`,
  );
  for (const name of ["one", "none"]) await picture().toFile(join(root, `yolo/images/val/${name}.jpg`));
  write("yolo/labels/val/one.txt", "2 0.5 0.5 0.5 1\n");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("COCO: in the order of the pictures' ids, categories counted through, crowds, boxes turned with their picture", async () => {
  const dataset = await openDataset(join(root, "coco"), { task: "detection", split: "train" });
  expect(dataset.classNames).toEqual(["person", "toothbrush"]);
  expect(dataset.describe()).toMatch(/2 pictures with 2 objects of 2 classes/);
  const [a, b] = [await dataset.sample(0), await dataset.sample(1)];
  expect([a.id, b.id]).toEqual(["a", "b"]);
  expect(objectsOf(a.target!)).toEqual([{ x1: 0, y1: 0, x2: 10, y2: 10, label: 0, state: 2 }]);
  // Orientation 6 turns a quarter to the right: (x, y) goes to (20 - y, x).
  expect(b.inputs.image!.shape).toEqual([3, 40, 20]);
  expect(objectsOf(b.target!)).toEqual([{ x1: 11, y1: 30, x2: 15, y2: 40, label: 1, state: 1, covers: 31.5 }]);
  const ids = await openDataset(join(root, "coco"), { task: "detection", split: "train", variant: "ids" });
  expect(objectsOf((await ids.sample(1)).target!)[0]!.label).toBe(90);
  expect([ids.classNames?.length, ids.classNames?.[90], ids.classNames?.[2]]).toEqual([91, "toothbrush", "class 2"]);
});

it("COCO: what is wrong is said", async () => {
  const open = (options: object) => openDataset(join(root, "coco"), { task: "detection", ...options });
  await expect(open({ split: "broken" })).rejects.toThrow(/has an object of category 5, which is none of its categories/);
  await expect(open({ split: "val" })).rejects.toThrow(/no annotations for the split "val"; it has broken, train/);
  await expect(open({ split: "train", variant: "names" })).rejects.toThrow(/variants "classes" .* and "ids"/);
});

it("VOC: corners count from 1, parts are no objects, difficult ones do not count", async () => {
  const dataset = await openDataset(join(root, "voc"), { task: "detection" });
  expect([dataset.name, dataset.classNames!.length]).toEqual(["voc", 20]);
  expect(objectsOf((await dataset.sample(0)).target!)).toEqual([
    { x1: 0, y1: 2, x2: 40, y2: 20, label: 14, state: 1 },
    { x1: 0, y1: 2, x2: 40, y2: 20, label: 11, state: 4 },
  ]);
});

it("YOLO: a split within images/ and labels/, and pictures without objects", async () => {
  const dataset = await openDataset(join(root, "yolo"), { task: "detection", split: "val" });
  const [none, one] = [await dataset.sample(0), await dataset.sample(1)];
  expect(none.target!.shape).toEqual([0, 6]);
  expect(objectsOf(one.target!)).toEqual([{ x1: 10, y1: 0, x2: 30, y2: 20, label: 2, state: 1 }]);
});
