/**
 * GoPro deblurring (Nah et al. 2017): `<train|test>/<sequence>/blur/NNNNNN.png`, `blur_gamma/` and `sharp/`. Variant: "blur" (default; the
 * mean of the stored values) or "blur_gamma" (the mean of the light, gamma 2.2). The copies with `input/` and `target/` folders are
 * plain folders: see folder.ts.
 */
import { join } from "node:path";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { filesIn, foldersIn, isFolder, stem } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";

export const gopro: Layout = {
  name: "gopro",
  tasks: ["restoration"],
  looksFor: "test/<sequence>/blur/ and test/<sequence>/sharp/",

  async matches(root, { split = "test" }) {
    const sequences = await foldersIn(join(root, split));
    return sequences.length > 0 && (await isFolder(root, split, sequences[0]!, "sharp"));
  },

  async open(root, { split = "test", variant = "blur" }) {
    if (variant !== "blur" && variant !== "blur_gamma")
      throw new DataError(`GoPro's variants are blur and blur_gamma, not "${variant}".`);
    const base = join(root, split);
    const sequences = await foldersIn(base);
    const perSequence = await Promise.all(
      sequences.map(async (sequence) => (await filesIn(join(base, sequence, variant))).map((file) => ({ sequence, file }))),
    );
    const entries = perSequence.flat();
    if (entries.length === 0) throw new DataError(`${base} has no sequence with pictures in ${variant}/.`);
    const description = `${entries.length} pairs of GoPro's split ${split} (${variant}) from ${root}.`;
    return datasetOf({ name: `gopro-${variant}`, task: "restoration" }, entries, description, async ({ sequence, file }) => ({
      id: `${sequence}/${stem(file)}`,
      inputs: { image: await readImage(join(base, sequence, variant, file)) },
      target: await readImage(join(base, sequence, "sharp", file)),
    }));
  },
};
