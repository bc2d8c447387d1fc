/**
 * ImageNet as a validation set usually lies on disk: one folder for each class (`val/n01440764/*.JPEG`), or all pictures in one folder
 * and a list `val.txt` of "name class" lines beside it.
 *
 * A class's index is its folder's place in code-unit order, as in torchvision's ImageFolder, on which published models are trained.
 * Where every folder's name is a number (ImageNetV2), that number is the index: their order as text (0, 1, 10, 100 ...) is a known trap.
 */
import { join } from "node:path";
import { tensor } from "../../../engine/tensor/tensor.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { codeUnitOrder } from "../natural-order.js";
import { filesIn, foldersIn, isFile, isFolder, load, stem } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";
import { classIndex, readList } from "./list-file.js";

interface Entry {
  readonly id: string;
  readonly path: string;
  readonly label: number;
}

export const imagenet: Layout = {
  name: "imagenet",
  tasks: ["classification"],
  looksFor: "one folder of pictures for each class, in the folder or in val/; or val.txt with val/",

  async matches(root, { split = "val" }) {
    if ((await isFile(root, `${split}.txt`)) && (await isFolder(root, split))) return true;
    const base = await baseOf(root, split);
    const classes = await foldersIn(base);
    if (classes.length === 0 || classes.includes("images") || (await filesIn(base)).length > 0) return false;
    return (await filesIn(join(base, classes[0]!))).length > 0;
  },

  async open(root, { split = "val" }) {
    const list = join(root, `${split}.txt`);
    const base = await baseOf(root, split);
    const { entries, folders } = (await isFile(list)) ? { entries: await listed(base, list), folders: [] } : await sorted(base);
    const count = entries.reduce((n, e) => Math.max(n, e.label + 1), folders.length);
    const classNames = await namesOf(root, folders, count);
    const description = `${entries.length} pictures of ${count} classes from ${base} (ImageNet layout).`;
    return datasetOf(
      { name: "imagenet", task: "classification", classNames },
      entries,
      description,
      async ({ id, path, label }) => ({
        id,
        inputs: { image: await readImage(path) },
        target: tensor("int64", [], [label]),
      }),
    );
  },
};

async function baseOf(root: string, split: string): Promise<string> {
  return (await isFolder(root, split)) ? join(root, split) : root;
}

async function listed(base: string, list: string): Promise<Entry[]> {
  const lines = await readList(list);
  return lines.map(([name, label]) => ({ id: stem(name!), path: join(base, name!), label: classIndex(label, list) }));
}

async function sorted(base: string): Promise<{ entries: Entry[]; folders: string[] }> {
  const names = await foldersIn(base);
  if (names.length === 0) throw new DataError(`${base} has no class folders and no list beside it.`);
  const numbered = names.every((name) => /^\d+$/.test(name));
  const folders = numbered ? names : names.sort(codeUnitOrder);
  const entries = await Promise.all(
    folders.map(async (name, place) => {
      const label = numbered ? Number(name) : place;
      return (await filesIn(join(base, name))).map((file) => ({
        id: `${name}/${stem(file)}`,
        path: join(base, name, file),
        label,
      }));
    }),
  );
  return { entries: entries.flat(), folders: numbered ? [] : folders };
}

/** From Kaggle's `LOC_synset_mapping.txt` ("n01440764 tench, Tinca tinca") where it lies in the root, else the folders' names. */
async function namesOf(root: string, folders: readonly string[], count: number): Promise<string[]> {
  const mapping = join(root, "LOC_synset_mapping.txt");
  const fallback = Array.from({ length: count }, (_, i) => folders[i] ?? `${i}`);
  if (!(await isFile(mapping))) return fallback;
  const text = await load(mapping, (bytes) => new TextDecoder().decode(bytes));
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  const names = new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
  // The mapping is sorted by synset, so a line's place is the class index of the full set.
  const inOrder = [...names.values()];
  return fallback.map((folder, i) => names.get(folder) ?? (folders.length === 0 ? inOrder[i] : undefined) ?? folder);
}
