/**
 * MPI Sintel flow: `training/<clean|final>/<scene>/frame_NNNN.png`, `training/flow/<scene>/frame_NNNN.flo`, and as PNG masks
 * `invalid/` (255 = do not score) and `occlusions/` (255 = hidden in the next frame). Variant: "clean" (default) or "final".
 */
import { join } from "node:path";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { parseFlo } from "../formats/flo.js";
import { parseBinaryMask } from "../formats/label-map.js";
import { filesIn, foldersIn, isFile, isFolder, load, stem } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";

export const sintel: Layout = {
  name: "sintel",
  tasks: ["flow"],
  looksFor: "training/clean/<scene>/ or training/final/<scene>/ with training/flow/<scene>/",

  matches: async (root, { split = "training" }) =>
    (await isFolder(root, split, "clean")) || (await isFolder(root, split, "final")),

  async open(root, { split = "training", variant = "clean" }) {
    if (variant !== "clean" && variant !== "final")
      throw new DataError(`Sintel's variants are clean and final, not "${variant}".`);
    const base = join(root, split);
    const frames = join(base, variant);
    const scenes = await foldersIn(frames);
    if (scenes.length === 0) throw new DataError(`${frames} has no scenes.`);
    const pairs = await Promise.all(
      scenes.map(async (scene) => {
        const files = await filesIn(join(frames, scene));
        return files.slice(0, -1).map((file, i) => ({ scene, file, next: files[i + 1]! }));
      }),
    );
    const labeled = await isFolder(base, "flow");
    const entries = pairs.flat();
    const description = `${entries.length} pairs of Sintel ${variant}'s split ${split} from ${root}, ${labeled ? "with" : "without"} truth.`;
    return datasetOf({ name: `sintel-${variant}`, task: "flow" }, entries, description, async ({ scene, file, next }) => {
      const [image1, image2] = await Promise.all([file, next].map((name) => readImage(join(frames, scene, name))));
      const sample = { id: `${scene}/${stem(file)}`, inputs: { image1: image1!, image2: image2! } };
      if (!labeled) return sample;
      const { target, valid } = await load(join(base, "flow", scene, `${stem(file)}.flo`), parseFlo);
      const invalid = await maskOf(join(base, "invalid", scene, file));
      const occluded = await maskOf(join(base, "occlusions", scene, file));
      return { ...sample, target, valid: invalid ? without(valid, invalid) : valid, ...(occluded && { occluded }) };
    });
  },
};

async function maskOf(path: string): Promise<Tensor<"bool"> | undefined> {
  return (await isFile(path)) ? load(path, parseBinaryMask) : undefined;
}

function without(valid: Tensor<"bool">, invalid: Tensor<"bool">): Tensor<"bool"> {
  return tensor(
    "bool",
    valid.shape,
    valid.data.map((v, i) => (invalid.data[i] === 1 ? 0 : v)),
  );
}
