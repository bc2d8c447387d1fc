/**
 * ADE20K's scene parsing benchmark (ADEChallengeData2016): `images/<split>/*.jpg`, `annotations/<split>/*.png` with 0 = other and
 * 1..150 = the classes. As in the benchmark, labels become 0..149 and "other" is ignored (255). Class names come from
 * `objectInfo150.txt` where it is present.
 */
import { join } from "node:path";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { parseLabelMap } from "../formats/label-map.js";
import { filesIn, isFile, isFolder, load, stem } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";

const classes = 150;
const ignoreLabel = 255;

/** The class 0..149 of a stored value 1..150, 255 for 0; undefined for any other value. */
export function ade20kLabel(stored: number): number | undefined {
  return stored === 0 ? ignoreLabel : stored <= classes ? stored - 1 : undefined;
}

export const ade20k: Layout = {
  name: "ade20k",
  tasks: ["segmentation"],
  looksFor: "images/validation/ and annotations/validation/",

  matches: async (root, { split = "validation" }) =>
    (await isFolder(root, "images", split)) && (await isFolder(root, "annotations", split)),

  async open(root, { split = "validation" }) {
    const base = join(root, "images", split);
    if (!(await isFolder(base))) throw new DataError(`ADE20K has no split "${split}": ${base} does not exist.`);
    const files = await filesIn(base);
    const labelling = { name: "ade20k", task: "segmentation", ignoreLabel, classNames: await classNames(root) } as const;
    return datasetOf(labelling, files, `${files.length} pictures of ADE20K's split ${split} from ${root}.`, async (file) => ({
      id: stem(file),
      inputs: { image: await readImage(join(base, file)) },
      target: await load(join(root, "annotations", split, `${stem(file)}.png`), (bytes) => parseLabelMap(bytes, ade20kLabel)),
    }));
  },
};

/** The last column of each line after the title. */
async function classNames(root: string): Promise<string[]> {
  const path = join(root, "objectInfo150.txt");
  if (!(await isFile(path))) return Array.from({ length: classes }, (_, i) => `${i}`);
  const text = await load(path, (bytes) => new TextDecoder().decode(bytes));
  const lines = text.split(/\r?\n/).filter((line) => /^\d/.test(line));
  return lines.map((line) => line.split("\t").at(-1)!.trim());
}
