import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { labels, maskPng, picture, picturePng, segmentsPng } from "../testing/pictures.js";
import { cocoStuffClasses, cocoThings } from "./coco-stuff-classes.js";
import { openDataset } from "./open.js";

const root = mkdtempSync(join(tmpdir(), "faultline-coco-masks-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
function put(path: string, content: Uint8Array | string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}
const open = (name: string, options: object = {}) => openDataset(join(root, name), { task: "segmentation", ...options });

const panoptic = (more: object = {}) =>
  JSON.stringify({
    images: [
      { id: 9, file_name: "b.png", height: 4, width: 6 },
      { id: 2, file_name: "a.png", height: 4, width: 6 },
    ],
    annotations: [
      {
        image_id: 2,
        file_name: "a.png",
        segments_info: [
          { id: 5, category_id: 1, iscrowd: 0 },
          { id: 70_000, category_id: 200, iscrowd: 0 },
          { id: 300, category_id: 18, iscrowd: 1 },
        ],
      },
      { image_id: 9, file_name: "b.png", segments_info: [] },
    ],
    categories: [
      { id: 200, name: "rug-merged", isthing: 0 },
      { id: 1, name: "person", isthing: 1 },
      { id: 18, name: "dog", isthing: 1 },
    ],
    ...more,
  });

it("panoptic: numbers of segments become classes, in all of the usual choices", async () => {
  put("panoptic/annotations/panoptic_val2017.json", panoptic());
  for (const [i, name] of ["a", "b"].entries()) put(`panoptic/val2017/${name}.png`, picturePng(i));
  put("panoptic/annotations/panoptic_val2017/a.png", segmentsPng([0, 5, 70_000, 300]));
  put("panoptic/annotations/panoptic_val2017/b.png", segmentsPng([0, 77]));
  const dataset = await open("panoptic");
  expect(dataset).toMatchObject({
    name: "coco-panoptic",
    length: 2,
    ignoreLabel: 255,
    classNames: ["person", "dog", "rug-merged"],
  });
  expect(await dataset.sample(0)).toEqual({ id: "a", inputs: { image: picture(0) }, target: labels([255, 0, 2, 1]) });
  await expect(dataset.sample(1)).rejects.toThrow(/b\.png: the mask holds segment 77, of which the annotations say nothing/);
  const chosen = async (variant: string) => {
    const { classNames, sample, describe } = await open("panoptic", { variant });
    return [classNames!.length, (await sample(0)).target, describe()] as const;
  };
  expect((await chosen("things")).slice(0, 2)).toEqual([2, labels([255, 0, 255, 1])]);
  expect((await chosen("stuff")).slice(0, 2)).toEqual([1, labels([255, 255, 0, 255])]);
  expect((await chosen("stuff"))[2]).toMatch(/with 1 classes \(stuff; the other 2 are ignored\)/);
  expect((await chosen("ids")).slice(0, 2)).toEqual([201, labels([255, 1, 200, 18])]);
  await expect(open("panoptic", { variant: "all" })).rejects.toThrow(/variants classes .*things, stuff and ids.*not "all"/);
  await expect(open("panoptic", { split: "train" })).rejects.toThrow(/for the split "train"; it has val2017/);
});

it("panoptic: what is missing or wrong is said", async () => {
  put("packed/annotations/panoptic_val2017.json", panoptic());
  put("packed/val2017/a.png", picturePng(0));
  put("packed/val2017/b.png", picturePng(0));
  await expect(open("packed")).rejects.toThrow(/no masks beside it: unpack panoptic_val2017\.zip/);
  put("packed/annotations/panoptic_val2017/a.png", maskPng([1]));
  await expect((await open("packed")).sample(0)).rejects.toThrow(
    /a\.png: a panoptic mask holds numbers of segments as 8-bit RGB/,
  );
  put("packed/annotations/panoptic_val2017.json", panoptic({ annotations: [{ image_id: 2, file_name: "a.png" }] }));
  await expect(open("packed")).rejects.toThrow(/not in COCO's form for panoptic segmentation: annotations\.0\.segments_info/);
});

it("COCO-Stuff has 80 things and 91 kinds of stuff, numbered as its labels.txt", () => {
  expect([cocoThings.length, cocoStuffClasses.length]).toEqual([80, 91]);
  const name = (id: number) => [...cocoThings, ...cocoStuffClasses].find((c) => c.id === id)?.name;
  expect([1, 12, 18, 90, 91, 92, 134, 149, 182].map(name)).toEqual([
    ...["person", undefined, "dog", "toothbrush", undefined],
    ...["banner", "moss", "road", "wood"],
  ]);
});

it("stuff: both forms of masks", async () => {
  put("stuff/val2017/a.jpg", picturePng(3));
  put("stuff/stuffthingmaps/val2017/a.png", maskPng([0, 17, 91, 181, 255]));
  put("stuff/annotations/stuff_val2017_pixelmaps/a.png", maskPng([0, 92, 182, 183]));
  const target = async (options: object) => (await (await open("stuff", options)).sample(0)).target;
  const both = await open("stuff");
  expect(both).toMatchObject({ name: "coco-stuff", length: 1, ignoreLabel: 255 });
  expect([both.classNames!.length, both.classNames![80]]).toEqual([171, "banner"]);
  expect(await both.sample(0)).toEqual({ id: "a", inputs: { image: picture(3) }, target: labels([0, 16, 80, 170, 255]) });
  expect(await target({ variant: "stuff" })).toEqual(labels([255, 255, 0, 90, 255]));
  expect(await target({ variant: "things" })).toEqual(labels([0, 16, 255, 255, 255]));
  expect(await target({ variant: "ids-from-0" })).toEqual(labels([0, 17, 91, 181, 255]));
  rmSync(join(root, "stuff/stuffthingmaps"), { recursive: true });
  expect(await target({})).toEqual(labels([255, 0, 90, 255]));
  expect(await target({ variant: "stuff-and-other" })).toEqual(labels([255, 0, 90, 91]));
  await expect(open("stuff", { variant: "things" })).rejects.toThrow(/variants stuff, stuff-and-other, ids-from-0, not "things"/);
  put("stuff/annotations/stuff_val2017_pixelmaps/a.png", maskPng([0, 200]));
  await expect((await open("stuff")).sample(0)).rejects.toThrow(/a\.png: The mask holds the value 200/);
});
