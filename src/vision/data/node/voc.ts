/**
 * PASCAL VOC 2012 segmentation: `JPEGImages/*.jpg`, `SegmentationClass/*.png` (palette PNG, indices 0..20, 255 = void border) and the
 * lists `ImageSets/Segmentation/*.txt`. The list "trainaug" takes its masks from `SegmentationClassAug` (SBD's, by convention).
 */
import { join } from "node:path";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { parseLabelMap } from "../formats/label-map.js";
import { isFile, isFolder, load } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";
import { readList } from "./list-file.js";

export const vocClassNames = [
  "background",
  "aeroplane",
  "bicycle",
  "bird",
  "boat",
  "bottle",
  "bus",
  "car",
  "cat",
  "chair",
  "cow",
  "diningtable",
  "dog",
  "horse",
  "motorbike",
  "person",
  "pottedplant",
  "sheep",
  "sofa",
  "train",
  "tvmonitor",
] as const;

export const voc: Layout = {
  name: "voc",
  tasks: ["segmentation"],
  looksFor: "JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/val.txt",

  async matches(root) {
    return (await isFolder(root, "JPEGImages")) && (await isFolder(root, "ImageSets", "Segmentation"));
  },

  async open(root, { split = "val" }) {
    const list = join(root, "ImageSets", "Segmentation", `${split}.txt`);
    if (!(await isFile(list))) throw new DataError(`VOC has no split "${split}": ${list} does not exist.`);
    const ids = (await readList(list)).map(([id]) => id!);
    const masks = join(root, split === "trainaug" ? "SegmentationClassAug" : "SegmentationClass");
    const labelling = { name: "voc", task: "segmentation", ignoreLabel: 255, classNames: vocClassNames } as const;
    const known = (label: number) => (label < vocClassNames.length || label === labelling.ignoreLabel ? label : undefined);
    return datasetOf(labelling, ids, `${ids.length} pictures of PASCAL VOC's split ${split} from ${root}.`, async (id) => ({
      id,
      inputs: { image: await readImage(join(root, "JPEGImages", `${id}.jpg`)) },
      target: await load(join(masks, `${id}.png`), (bytes) => parseLabelMap(bytes, known)),
    }));
  },
};
