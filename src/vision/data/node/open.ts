import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { TaskName } from "../../tasks/names.js";
import type { Dataset } from "../dataset.js";
import { DataError } from "../error.js";
import { ade20k } from "./ade20k.js";
import { cityscapes } from "./cityscapes.js";
import { coco } from "./coco.js";
import { cocoPanoptic } from "./coco-panoptic.js";
import { cocoStuff } from "./coco-stuff.js";
import { filesIn, foldersIn, isFile, isFolder } from "./files.js";
import { flyingChairs } from "./flying-chairs.js";
import { flyingThings } from "./flying-things.js";
import { folder } from "./folder.js";
import { gopro } from "./gopro.js";
import { imagenet } from "./imagenet.js";
import { kitti } from "./kitti.js";
import { kitti2012 } from "./kitti-2012.js";
import { kittiDepth } from "./kitti-depth.js";
import { type Layout, type LayoutOptions, soughtBy } from "./layout.js";
import { type LayoutName, layoutNames } from "./layout-names.js";
import { nyuDepth } from "./nyu-depth.js";
import { parquet } from "./parquet.js";
import { sidd } from "./sidd.js";
import { sintel } from "./sintel.js";
import { voc } from "./voc.js";
import { webdataset } from "./webdataset.js";

/** Every layout by its name. */
export const layouts = {
  voc,
  coco,
  "coco-panoptic": cocoPanoptic,
  "coco-stuff": cocoStuff,
  cityscapes,
  ade20k,
  kitti,
  "kitti-2012": kitti2012,
  sintel,
  "flying-things": flyingThings,
  "flying-chairs": flyingChairs,
  "nyu-depth": nyuDepth,
  "kitti-depth": kittiDepth,
  gopro,
  sidd,
  imagenet,
  folder,
  parquet,
  webdataset,
} satisfies Record<LayoutName, Layout>;

export interface OpenOptions extends LayoutOptions {
  /** The layout; recognized from the folder when absent. */
  readonly format?: LayoutName;
}

/**
 * Opens a dataset on disk: a folder, or a file that holds one (.parquet, .tar). Only names are read here; a picture that cannot be read is an error of its
 * `sample()` alone.
 *
 * @example const dataset = await openDataset("VOCdevkit/VOC2012", { task: "segmentation" });
 * @throws DataError when the folder does not exist, its layout is not recognized, or it lacks the split or variant asked for.
 */
export async function openDataset(root: string, options: OpenOptions): Promise<Dataset> {
  const single = await isFile(root);
  if (!single && !(await isFolder(root))) throw new DataError(`There is no folder ${root}.`);
  const layout = options.format === undefined ? await recognize(root, options) : layoutFor(options.format, options.task);
  if (single && !takesFile(layout, root)) throw notTaken(root);
  const dataset = await layout.open(root, options);
  if (dataset.length === 0) throw new DataError(`${root} has no samples in the ${layout.name} layout.`);
  return dataset;
}

const takesFile = ({ files = [] }: Layout, path: string): boolean => files.some((e) => path.toLowerCase().endsWith(e));

function notTaken(path: string): DataError {
  const extensions = Object.values<Layout>(layouts).flatMap(({ files = [] }) => files);
  return new DataError(`${path} is a file; a data set is a folder, or a file of the kind ${extensions.join(" or ")}.`);
}

function layoutFor(format: LayoutName, task: TaskName): Layout {
  const layout: Layout = layouts[format];
  if (!layout.tasks.includes(task)) throw notFor(layout, task);
  return layout;
}

const notFor = (layout: Layout, task: TaskName): DataError =>
  new DataError(`The ${layout.name} layout has data for ${layout.tasks.join(" and ")}, not for ${task}.`);

async function recognize(root: string, options: LayoutOptions): Promise<Layout> {
  const ofTask = layoutNames.map((name): Layout => layouts[name]).filter((layout) => layout.tasks.includes(options.task));
  const single = await isFile(root);
  const candidates = single ? ofTask.filter((layout) => takesFile(layout, root)) : ofTask;
  if (candidates.length === 0) {
    const format = layoutNames.find((name) => takesFile(layouts[name], root));
    throw format === undefined ? notTaken(root) : notFor(layouts[format], options.task);
  }
  for (const layout of candidates) if (await layout.matches(root, options)) return layout;
  const sought = candidates.map((layout) => `${layout.name} (${soughtBy(layout, options.task)})`).join("; ");
  throw new DataError(
    `${root} has no layout known for ${options.task}${single ? "" : `: it holds ${await contentOf(root)}`}. Looked for: ${sought}.`,
  );
}

/** What a folder holds, in words: "the folders photos (2 pictures), truth (2 pictures)". */
async function contentOf(root: string): Promise<string> {
  const folders = await foldersIn(root);
  const some = await Promise.all(
    folders.slice(0, 6).map(async (name) => {
      const pictures = (await filesIn(join(root, name))).length;
      return `${name} (${pictures === 1 ? "1 picture" : `${pictures} pictures`})`;
    }),
  );
  const others = (await readdir(root)).filter((name) => !name.startsWith(".") && !folders.includes(name));
  const parts = [
    ...(some.length > 0 ? [`the folder${some.length > 1 ? "s" : ""} ${some.join(", ")}${folders.length > 6 ? " ..." : ""}`] : []),
    ...(others.length > 0
      ? [`${others.length === 1 ? "the file" : `${others.length} files, among them`} ${others.slice(0, 3).join(", ")}`]
      : []),
  ];
  return parts.length > 0 ? parts.join(" and ") : "nothing";
}
