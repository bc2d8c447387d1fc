/**
 * SIDD, noise of smartphones (Abdelhamed et al. 2018), sRGB: `<scene>/NNNN_NOISY_SRGB_KKK.PNG` with `NNNN_GT_SRGB_KKK.PNG` beside it, the scenes in the folder
 * itself, in `Data/` or in `SIDD_Small_sRGB_Only/Data/` and the like. A pair is two names that differ in NOISY and GT alone.
 */
import { join } from "node:path";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { filesIn, foldersIn, stem } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";

const noisy = /(^|_)NOISY(?=_|\.)/i;

export const sidd: Layout = {
  name: "sidd",
  tasks: ["restoration"],
  looksFor: "<scene>/*_NOISY_*.PNG with *_GT_*.PNG beside it, in the folder or in Data/",

  async matches(root, { split }) {
    for (const base of await basesOf(root, split)) {
      const [scene] = await foldersIn(base);
      for (const folder of scene === undefined ? [base] : [base, join(base, scene)])
        if ((await filesIn(folder)).some((name) => noisy.test(name))) return true;
    }
    return false;
  },

  async open(root, { split }) {
    const entries: { readonly id: string; readonly noisy: string; readonly clean: string }[] = [];
    const alone: string[] = [];
    for (const base of await basesOf(root, split)) {
      for (const scene of ["", ...(await foldersIn(base))]) {
        const names = await filesIn(join(base, scene));
        const byName = new Map(names.map((name) => [name.toLowerCase(), name]));
        for (const name of names.filter((n) => noisy.test(n))) {
          const clean = byName.get(name.replace(noisy, "$1GT").toLowerCase());
          if (clean === undefined) alone.push(join(scene, name));
          else
            entries.push({
              id: join(scene, stem(name)).replaceAll("\\", "/"),
              noisy: join(base, scene, name),
              clean: join(base, scene, clean),
            });
        }
      }
      if (entries.length > 0) break;
    }
    if (alone.length > 0)
      throw new DataError(
        `${root} has ${alone.length === 1 ? "a noisy picture" : `${alone.length} noisy pictures`} without the clean one (*_GT_* beside *_NOISY_*): ${alone.slice(0, 3).join(", ")}${alone.length > 3 ? " ..." : ""}.`,
      );
    return datasetOf(
      { name: "sidd", task: "restoration" },
      entries,
      `${entries.length} pairs of SIDD from ${root}.`,
      async ({ id, noisy, clean }) => ({ id, inputs: { image: await readImage(noisy) }, target: await readImage(clean) }),
    );
  },
};

/** Where scenes may lie, the likeliest first. */
async function basesOf(root: string, split: string | undefined): Promise<string[]> {
  const within = split === undefined ? root : join(root, split);
  const packages = (await foldersIn(within)).filter((name) => /^SIDD/i.test(name));
  return [within, join(within, "Data"), ...packages.flatMap((name) => [join(within, name, "Data"), join(within, name)])];
}
