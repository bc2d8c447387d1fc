/**
 * FlyingChairs: `data/NNNNN_img1.ppm`, `NNNNN_img2.ppm`, `NNNNN_flow.flo`, and beside `data` the list `FlyingChairs_train_val.txt`: line i is
 * 1 where pair i is for training and 2 where it is for validation. Splits: "train", "val" (default), "all".
 */
import { join } from "node:path";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { parseFlo } from "../formats/flo.js";
import { filesIn, isFile, load } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";
import { readList } from "./list-file.js";

export const flyingChairs: Layout = {
  name: "flying-chairs",
  tasks: ["flow"],
  looksFor: "data/*_img1.ppm, *_img2.ppm and *_flow.flo, with FlyingChairs_train_val.txt",

  matches: async (root) => (await filesIn(join(root, "data"), [".ppm"])).some((name) => name.endsWith("_img1.ppm")),

  async open(root, { split = "val" }) {
    if (split !== "train" && split !== "val" && split !== "all") {
      throw new DataError(`FlyingChairs' splits are train, val and all, not "${split}".`);
    }
    const base = join(root, "data");
    const all = (await filesIn(base, [".ppm"])).filter((name) => name.endsWith("_img1.ppm")).map((name) => name.slice(0, -9));
    const keys = split === "all" ? all : await chosen(root, all, split);
    const description = `${keys.length} pairs of FlyingChairs' split ${split} from ${root}.`;
    return datasetOf({ name: "flying-chairs", task: "flow" }, keys, description, async (key) => ({
      id: key,
      inputs: {
        image1: await readImage(join(base, `${key}_img1.ppm`)),
        image2: await readImage(join(base, `${key}_img2.ppm`)),
      },
      ...(await load(join(base, `${key}_flow.flo`), parseFlo)),
    }));
  },
};

async function chosen(root: string, keys: readonly string[], split: "train" | "val"): Promise<string[]> {
  const path = join(root, "FlyingChairs_train_val.txt");
  if (!(await isFile(path))) throw new DataError(`${path} does not exist; without it, only the split "all" can be read.`);
  const marks = (await readList(path)).map(([mark]) => mark!);
  if (marks.length !== keys.length) throw new DataError(`${path} has ${marks.length} lines for ${keys.length} pairs.`);
  return keys.filter((_, i) => marks[i] === (split === "train" ? "1" : "2"));
}
