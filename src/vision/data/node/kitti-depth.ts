/**
 * KITTI's depth completion and prediction: the selection with truth (`val_selection_cropped/image/` and `groundtruth_depth/`), or the annotated
 * depth maps with the pictures of the raw data beside them (`val/<drive>/proj_depth/groundtruth/image_02/`, pictures in
 * `val/<drive>/image_02/data/` or `<date>/<drive>/image_02/data/`). Truth is 16-bit PNG of meters times 256, 0 where unknown.
 */
import { join } from "node:path";
import { parseDepthPng } from "../../tasks/depth/files.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { filesIn, foldersIn, isFile, isFolder, load, stem } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";

interface Entry {
  readonly id: string;
  readonly image: string;
  readonly truth: string;
}

export const kittiDepth: Layout = {
  name: "kitti-depth",
  tasks: ["depth"],
  looksFor: "val_selection_cropped/image/ with groundtruth_depth/, or val/<drive>/proj_depth/groundtruth/image_02/",

  matches: async (root, { split = "val" }) => (await selectionOf(root)) !== undefined || (await drivesOf(root, split)).length > 0,

  async open(root, { split = "val" }) {
    const selection = await selectionOf(root);
    const entries = selection ? await selected(selection) : await annotated(root, split);
    if (entries.length === 0)
      throw new DataError(`${root} has no depth maps of KITTI${selection ? "" : `'s split "${split}" that have pictures`}.`);
    const which = selection ? "selection" : `split ${split}`;
    const description = `${entries.length} pictures of KITTI's depth ${which} from ${root}.`;
    return datasetOf({ name: "kitti-depth", task: "depth" }, entries, description, async ({ id, image, truth }) => ({
      id,
      inputs: { image: await readImage(image) },
      ...(await load(truth, (bytes) => parseDepthPng(bytes, "kitti"))),
    }));
  },
};

async function selectionOf(root: string): Promise<string | undefined> {
  for (const base of [root, join(root, "val_selection_cropped"), join(root, "depth_selection", "val_selection_cropped")])
    if ((await isFolder(base, "image")) && (await isFolder(base, "groundtruth_depth"))) return base;
  return undefined;
}

async function selected(base: string): Promise<Entry[]> {
  return (await filesIn(join(base, "image"))).map((file) => ({
    id: stem(file),
    image: join(base, "image", file),
    truth: join(base, "groundtruth_depth", file.replace("sync_image_", "sync_groundtruth_depth_")),
  }));
}

async function drivesOf(root: string, split: string): Promise<string[]> {
  const drives = await foldersIn(join(root, split));
  const kept = await Promise.all(drives.map((drive) => isFolder(root, split, drive, "proj_depth", "groundtruth")));
  return drives.filter((_, i) => kept[i]);
}

/** The depth maps of both color cameras whose pictures are there: maps lack the first and last five pictures of a drive. */
async function annotated(root: string, split: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const drive of await drivesOf(root, split))
    for (const camera of ["image_02", "image_03"]) {
      const maps = join(root, split, drive, "proj_depth", "groundtruth", camera);
      for (const file of await filesIn(maps)) {
        const pictures = [join(root, split, drive), join(root, drive.slice(0, 10), drive)].flatMap((base) =>
          [".png", ".jpg"].map((extension) => join(base, camera, "data", `${stem(file)}${extension}`)),
        );
        const there = await Promise.all(pictures.map((path) => isFile(path)));
        const image = pictures[there.indexOf(true)];
        if (image) entries.push({ id: `${drive}/${camera}/${stem(file)}`, image, truth: join(maps, file) });
      }
    }
  return entries;
}
