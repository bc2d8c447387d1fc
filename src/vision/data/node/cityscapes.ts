/**
 * Cityscapes: `leftImg8bit/<split>/<city>/*_leftImg8bit.png` and `gtFine/<split>/<city>/*_gtFine_labelIds.png`. The 35 label ids become
 * the 19 train ids of the benchmark; everything else is ignored (255).
 */
import { join } from "node:path";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { parseLabelMap } from "../formats/label-map.js";
import { filesIn, foldersIn, isFolder, load } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";

/** Train id is the place in this list; `id` is the value in `labelIds.png` (cityscapesScripts, helpers/labels.py). */
export const cityscapesClasses = [
  { name: "road", id: 7 },
  { name: "sidewalk", id: 8 },
  { name: "building", id: 11 },
  { name: "wall", id: 12 },
  { name: "fence", id: 13 },
  { name: "pole", id: 17 },
  { name: "traffic light", id: 19 },
  { name: "traffic sign", id: 20 },
  { name: "vegetation", id: 21 },
  { name: "terrain", id: 22 },
  { name: "sky", id: 23 },
  { name: "person", id: 24 },
  { name: "rider", id: 25 },
  { name: "car", id: 26 },
  { name: "truck", id: 27 },
  { name: "bus", id: 28 },
  { name: "train", id: 31 },
  { name: "motorcycle", id: 32 },
  { name: "bicycle", id: 33 },
] as const;

const ignoreLabel = 255;
const trainIds = new Map<number, number>(cityscapesClasses.map(({ id }, trainId) => [id, trainId]));

/** The train id of a label id 0..33, 255 for those that the benchmark ignores; undefined for a value that is no label id. */
export function cityscapesTrainId(id: number): number | undefined {
  return id > 33 ? undefined : (trainIds.get(id) ?? ignoreLabel);
}

export const cityscapes: Layout = {
  name: "cityscapes",
  tasks: ["segmentation"],
  looksFor: "leftImg8bit/val/<city>/ and gtFine/val/<city>/",

  matches: (root) => isFolder(root, "leftImg8bit"),

  async open(root, { split = "val" }) {
    const base = join(root, "leftImg8bit", split);
    if (!(await isFolder(base))) throw new DataError(`Cityscapes has no split "${split}": ${base} does not exist.`);
    const cities = await foldersIn(base);
    const perCity = await Promise.all(
      cities.map(async (city) => (await filesIn(join(base, city))).map((file) => ({ city, file }))),
    );
    const entries = perCity.flat().map(({ city, file }) => ({ city, key: file.replace(/_leftImg8bit\.\w+$/, ""), file }));
    const labelling = {
      name: "cityscapes",
      task: "segmentation",
      ignoreLabel,
      classNames: cityscapesClasses.map((c) => c.name),
    } as const;
    const description = `${entries.length} pictures of Cityscapes' split ${split} from ${root}, 19 train ids.`;
    return datasetOf(labelling, entries, description, async ({ city, key, file }) => ({
      id: `${city}/${key}`,
      inputs: { image: await readImage(join(base, city, file)) },
      target: await load(join(root, "gtFine", split, city, `${key}_gtFine_labelIds.png`), (bytes) =>
        parseLabelMap(bytes, cityscapesTrainId),
      ),
    }));
  },
};
