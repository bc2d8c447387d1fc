/**
 * PASCAL VOC. Detection: `Annotations/*.xml` and the lists `ImageSets/Main/*.txt`. Segmentation (2012): `JPEGImages/*.jpg`, `SegmentationClass/*.png` (palette PNG, indices 0..20, 255 = void border) and the
 * lists `ImageSets/Segmentation/*.txt`. The list "trainaug" takes its masks from `SegmentationClassAug` (SBD's, by convention).
 */
import { join } from "node:path";
import { type TaskName, tasks } from "../../tasks/index.js";
import { type Dataset, datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { parseLabelMap } from "../formats/label-map.js";
import { isFile, isFolder, load } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout, LayoutOptions } from "./layout.js";
import { readList } from "./list-file.js";
import { turnedBoxes } from "./turned-boxes.js";
import { parseVocAnnotation } from "./voc-boxes.js";

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
  tasks: ["segmentation", "detection"],
  looksFor: (task) =>
    isOfBoxes(task)
      ? "JPEGImages/, Annotations/ and ImageSets/Main/val.txt"
      : "JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/val.txt",

  async matches(root, { task }) {
    return (await isFolder(root, "JPEGImages")) && (await isFolder(root, "ImageSets", isOfBoxes(task) ? "Main" : "Segmentation"));
  },

  async open(root, options) {
    return isOfBoxes(options.task) ? openBoxes(root, options) : openMasks(root, options);
  },
};

const isOfBoxes = (task: TaskName): boolean => tasks[task].kind === "boxes";

async function openMasks(root: string, { split = "val" }: LayoutOptions): Promise<Dataset> {
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
}

/** Objects by `Annotations/<id>.xml` and `ImageSets/Main/<split>.txt`; the test of VOC 2007 is the split "test". */
async function openBoxes(root: string, { split = "val" }: LayoutOptions): Promise<Dataset> {
  const list = join(root, "ImageSets", "Main", `${split}.txt`);
  if (!(await isFile(list))) throw new DataError(`VOC has no split "${split}": ${list} does not exist.`);
  const ids = (await readList(list)).map(([id]) => id!);
  const classNames = vocClassNames.slice(1);
  const labelling = { name: "voc", task: "detection", classNames } as const;
  return datasetOf(labelling, ids, `${ids.length} pictures of PASCAL VOC's split ${split} from ${root}.`, async (id) => {
    const picture = join(root, "JPEGImages", `${id}.jpg`);
    const image = await readImage(picture);
    const { list: objects, size } = await load(join(root, "Annotations", `${id}.xml`), (bytes) =>
      parseVocAnnotation(bytes, classNames),
    );
    return { id, inputs: { image }, target: size ? await turnedBoxes(objects, picture, size, image) : objects };
  });
}
