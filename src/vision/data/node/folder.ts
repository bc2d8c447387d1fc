/**
 * Plain folders: pictures, with or without labels. Files belong together by their name without extension. Labels are class masks
 * (.png) for segmentation, clean pictures for restoration, .flo, .pfm or KITTI .png for flow, .pfm or KITTI .png for disparity, and a
 * list `labels.txt` ("name class" a line) for classification.
 */
import { extname, join } from "node:path";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { datasetOf, type Labelling, type Sample, type TaskName } from "../dataset.js";
import { DataError } from "../error.js";
import { parseFlo } from "../formats/flo.js";
import { parseKittiDisparity, parseKittiFlow } from "../formats/kitti.js";
import { parseLabelMap } from "../formats/label-map.js";
import { parsePfmDisparity, parsePfmFlow } from "../formats/pfm.js";
import { oriented } from "../orientation.js";
import { byStem, filesIn, isFile, isFolder, load, stem } from "./files.js";
import { orientationOf, readImage } from "./image-file.js";
import type { Layout, LayoutOptions } from "./layout.js";
import { classIndex, readList } from "./list-file.js";

/** Where the inputs may lie, each with the folder of its labels; the first that exists counts. "" is the folder itself. */
const arrangements: Record<TaskName, readonly { readonly inputs: Record<string, string>; readonly labels?: string }[]> = {
  classification: [{ inputs: { image: "images" } }, { inputs: { image: "" } }],
  segmentation: [{ inputs: { image: "images" }, labels: "labels" }, { inputs: { image: "" } }],
  restoration: [
    { inputs: { image: "images" }, labels: "labels" },
    { inputs: { image: "input" }, labels: "target" },
    { inputs: { image: "blur" }, labels: "sharp" },
    { inputs: { image: "" } },
  ],
  flow: [
    { inputs: { image1: "image1", image2: "image2" }, labels: "labels" },
    { inputs: { image1: "images" }, labels: "labels" },
    { inputs: { image1: "" } },
  ],
  disparity: [{ inputs: { left: "left", right: "right" }, labels: "labels" }],
};

const labelExtensions: Record<TaskName, readonly string[]> = {
  classification: [],
  segmentation: [".png"],
  restoration: [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"],
  flow: [".flo", ".pfm", ".png"],
  disparity: [".pfm", ".png"],
};

interface Entry {
  readonly id: string;
  /** Paths by input name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly label?: string;
  readonly classIndex?: number;
}

export const folder: Layout = {
  name: "folder",
  tasks: ["classification", "segmentation", "flow", "disparity", "restoration"],
  looksFor:
    "pictures in the folder itself or in images/ (with labels/ or labels.txt); image1/ and image2/ for flow; left/ and right/ for disparity",

  async matches(root, options) {
    return (await arrangementOf(root, options)) !== undefined;
  },

  async open(root, options) {
    const found = await arrangementOf(root, options);
    if (!found) throw new DataError(`${root} has no pictures for ${options.task}: looked for ${folder.looksFor}.`);
    const { arrangement, base } = found;
    const { labelling, entries } =
      options.task === "classification"
        ? await classified(base, arrangement.inputs.image!)
        : { labelling: labellingOf(options.task), entries: await paired(base, options.task, arrangement) };
    const labels = entries.some((e) => e.label !== undefined || e.classIndex !== undefined) ? "with labels" : "without labels";
    return datasetOf(
      labelling,
      entries,
      `${entries.length === 1 ? "1 sample" : `${entries.length} samples`} for ${options.task} from the folder ${root}, ${labels}.`,
      (e) => read(e, options.task),
    );
  },
};

async function arrangementOf(root: string, { task, split }: LayoutOptions) {
  const bases = split === undefined ? [root] : [join(root, split)];
  for (const base of bases) {
    for (const arrangement of arrangements[task]) {
      const folders = Object.values(arrangement.inputs);
      const counts = await Promise.all(folders.map(async (name) => (await filesIn(join(base, name))).length));
      if (counts.every((n) => n > 0)) return { base, arrangement };
    }
  }
  return undefined;
}

function labellingOf(task: Exclude<TaskName, "classification">): Labelling & { name: string } {
  return task === "segmentation" ? { name: "folder", task, ignoreLabel: 255, classNames: [] } : { name: "folder", task };
}

async function paired(base: string, task: TaskName, arrangement: (typeof arrangements)[TaskName][number]): Promise<Entry[]> {
  const [[firstName, firstFolder], second] = Object.entries(arrangement.inputs) as [[string, string], [string, string]?];
  const first = await filesIn(join(base, firstFolder));
  const labelFolder = arrangement.labels;
  const labelled = labelFolder !== undefined && (await isFolder(base, labelFolder));
  const labels = byStem(labelled ? await filesIn(join(base, labelFolder), labelExtensions[task]) : []);
  const partners = byStem(second ? await filesIn(join(base, second[1])) : []);

  const entryOf = (name: string, inputs: Record<string, string>): Entry => ({
    id: stem(name),
    inputs,
    ...(labelled && { label: join(base, labelFolder, labels.get(stem(name)) ?? `${stem(name)}${labelExtensions[task][0]}`) }),
  });
  if (second) {
    return first.map((name) =>
      entryOf(name, {
        [firstName]: join(base, firstFolder, name),
        [second[0]]: join(base, second[1], partners.get(stem(name)) ?? name),
      }),
    );
  }
  if (task === "flow") {
    // One folder of frames: each is matched to the next.
    return first
      .slice(0, -1)
      .map((name, i) => entryOf(name, { image1: join(base, firstFolder, name), image2: join(base, firstFolder, first[i + 1]!) }));
  }
  return first.map((name) => entryOf(name, { [firstName]: join(base, firstFolder, name) }));
}

async function classified(base: string, images: string): Promise<{ labelling: Labelling & { name: string }; entries: Entry[] }> {
  const names = await filesIn(join(base, images));
  const list = join(base, "labels.txt");
  const labels = (await isFile(list))
    ? new Map((await readList(list)).map(([name, label]) => [stem(name!), classIndex(label, list)]))
    : undefined;
  const count = labels ? Math.max(-1, ...labels.values()) + 1 : 0;
  const entries = names.map((name): Entry => {
    const label = labels?.get(stem(name));
    if (labels && label === undefined) throw new DataError(`${list} has no line for ${name}.`);
    return { id: stem(name), inputs: { image: join(base, images, name) }, ...(label !== undefined && { classIndex: label }) };
  });
  return {
    labelling: { name: "folder", task: "classification", classNames: Array.from({ length: count }, (_, i) => `${i}`) },
    entries,
  };
}

async function read({ id, inputs, label, classIndex }: Entry, task: TaskName): Promise<Sample> {
  const pictures = await Promise.all(Object.entries(inputs).map(async ([name, path]) => [name, await readImage(path)] as const));
  const sample = { id, inputs: Object.fromEntries(pictures) };
  if (classIndex !== undefined) return { ...sample, target: tensor("int64", [], [classIndex]) };
  if (label === undefined) return sample;
  if (task === "segmentation") {
    const mask = await load(label, (bytes) => parseLabelMap(bytes));
    const picture = Object.entries(inputs)[0]!;
    return { ...sample, target: turnedLike(mask, await orientationOf(picture[1]), sample.inputs[picture[0]]!) };
  }
  if (task === "restoration") return { ...sample, target: await readImage(label) };
  const parse = { ".flo": parseFlo, ".pfm": task === "flow" ? parsePfmFlow : parsePfmDisparity }[extname(label).toLowerCase()];
  return { ...sample, ...(await load(label, parse ?? (task === "flow" ? parseKittiFlow : parseKittiDisparity))) };
}

/**
 * A picture's EXIF orientation turns its mask too, which is of the picture as stored: masks have no orientation of their own. One that only fits the
 * picture as it is shown was made from that and stays.
 */
function turnedLike(mask: Tensor<"int32">, orientation: number, { shape: [, height, width] }: Tensor): Tensor<"int32"> {
  const turned = oriented(mask, orientation);
  return turned.shape[0] === height && turned.shape[1] === width ? turned : mask;
}
