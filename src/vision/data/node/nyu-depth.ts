/**
 * NYU Depth V2 as it is usually repacked (Lee et al. 2019): `official_splits/test/<scene>/rgb_NNNNN.jpg` with `sync_depth_NNNNN.png`, a 16-bit PNG
 * of millimeters, 0 where unknown. A folder of scenes itself is read too.
 */
import { join } from "node:path";
import { parseDepthPng } from "../../tasks/depth/files.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { filesIn, foldersIn, isFolder, load } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";

export const nyuDepth: Layout = {
  name: "nyu-depth",
  tasks: ["depth"],
  looksFor: "official_splits/test/<scene>/rgb_*.jpg with sync_depth_*.png beside them",

  async matches(root, { split = "test" }) {
    const base = await scenesOf(root, split);
    return base !== undefined && (await picturesOf(base)).length > 0;
  },

  async open(root, { split = "test" }) {
    const base = await scenesOf(root, split);
    if (!base) throw new DataError(`NYU Depth V2 has no split "${split}" in ${root}.`);
    const entries = await picturesOf(base);
    const description = `${entries.length} pictures of NYU Depth V2's split ${split} from ${root}.`;
    return datasetOf({ name: "nyu-depth", task: "depth" }, entries, description, async ({ scene, number, file }) => ({
      id: `${scene}/${number}`,
      inputs: { image: await readImage(join(base, scene, file)) },
      ...(await load(join(base, scene, `sync_depth_${number}.png`), (bytes) => parseDepthPng(bytes, "millimeters"))),
    }));
  },
};

async function scenesOf(root: string, split: string): Promise<string | undefined> {
  for (const base of [join(root, "official_splits", split), join(root, split), root]) if (await isFolder(base)) return base;
  return undefined;
}

async function picturesOf(base: string): Promise<{ scene: string; number: string; file: string }[]> {
  const scenes = await foldersIn(base);
  const found = await Promise.all(
    scenes.map(async (scene) =>
      (await filesIn(join(base, scene))).flatMap((file) => {
        const number = /^rgb_(\w+)\.(?:jpg|png)$/.exec(file)?.[1];
        return number === undefined ? [] : [{ scene, number, file }];
      }),
    ),
  );
  return found.flat();
}
