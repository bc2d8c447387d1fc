import type { TaskName } from "../../tasks/names.js";
import type { Dataset } from "../dataset.js";
import { DataError } from "../error.js";
import { ade20k } from "./ade20k.js";
import { cityscapes } from "./cityscapes.js";
import { coco } from "./coco.js";
import { isFolder } from "./files.js";
import { flyingChairs } from "./flying-chairs.js";
import { flyingThings } from "./flying-things.js";
import { folder } from "./folder.js";
import { gopro } from "./gopro.js";
import { imagenet } from "./imagenet.js";
import { kitti } from "./kitti.js";
import { kittiDepth } from "./kitti-depth.js";
import { type Layout, type LayoutOptions, soughtBy } from "./layout.js";
import { type LayoutName, layoutNames } from "./layout-names.js";
import { nyuDepth } from "./nyu-depth.js";
import { sintel } from "./sintel.js";
import { voc } from "./voc.js";

/** Every layout by its name. */
export const layouts = {
  voc,
  coco,
  cityscapes,
  ade20k,
  kitti,
  sintel,
  "flying-things": flyingThings,
  "flying-chairs": flyingChairs,
  "nyu-depth": nyuDepth,
  "kitti-depth": kittiDepth,
  gopro,
  imagenet,
  folder,
} satisfies Record<LayoutName, Layout>;

export interface OpenOptions extends LayoutOptions {
  /** The layout; recognized from the folder when absent. */
  readonly format?: LayoutName;
}

/**
 * Opens a dataset on disk. Only names are read here; a picture that cannot be read is an error of its `sample()` alone.
 *
 * @example const dataset = await openDataset("VOCdevkit/VOC2012", { task: "segmentation" });
 * @throws DataError when the folder does not exist, its layout is not recognized, or it lacks the split or variant asked for.
 */
export async function openDataset(root: string, options: OpenOptions): Promise<Dataset> {
  if (!(await isFolder(root))) throw new DataError(`There is no folder ${root}.`);
  const layout = options.format === undefined ? await recognize(root, options) : layoutFor(options.format, options.task);
  const dataset = await layout.open(root, options);
  if (dataset.length === 0) throw new DataError(`${root} has no samples in the ${layout.name} layout.`);
  return dataset;
}

function layoutFor(format: LayoutName, task: TaskName): Layout {
  const layout: Layout = layouts[format];
  if (!layout.tasks.includes(task)) {
    throw new DataError(`The ${format} layout has data for ${layout.tasks.join(" and ")}, not for ${task}.`);
  }
  return layout;
}

async function recognize(root: string, options: LayoutOptions): Promise<Layout> {
  const candidates = layoutNames.map((name): Layout => layouts[name]).filter((layout) => layout.tasks.includes(options.task));
  for (const layout of candidates) if (await layout.matches(root, options)) return layout;
  const sought = candidates.map((layout) => `${layout.name} (${soughtBy(layout, options.task)})`).join("; ");
  throw new DataError(`${root} has no layout known for ${options.task}. Looked for: ${sought}.`);
}
