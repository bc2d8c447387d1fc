/**
 * FlyingThings3D in its full layout: `frames_<clean|final>pass/<TRAIN|TEST>/<A|B|C>/<scene>/<left|right>/NNNN.png`,
 * `optical_flow/.../into_future/left/OpticalFlowIntoFuture_NNNN_L.pfm`, `disparity/.../left/NNNN.pfm`. The left camera's truth is read:
 * flow to the next frame, disparity to the right camera. Variant: "clean" (default) or "final".
 */
import { join } from "node:path";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { parsePfmDisparity, parsePfmFlow } from "../formats/pfm.js";
import { filesIn, foldersIn, isFolder, load, stem } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";

export const flyingThings: Layout = {
  name: "flying-things",
  tasks: ["flow", "disparity"],
  looksFor: "frames_cleanpass/TEST/ or frames_finalpass/TEST/ with optical_flow/ or disparity/",

  matches: async (root) => (await isFolder(root, "frames_cleanpass")) || (await isFolder(root, "frames_finalpass")),

  async open(root, { task, split = "TEST", variant = "clean" }) {
    if (task !== "flow" && task !== "disparity")
      throw new DataError(`FlyingThings3D is read for flow and disparity, not for ${task}.`);
    if (variant !== "clean" && variant !== "final")
      throw new DataError(`FlyingThings3D's variants are clean and final, not "${variant}".`);
    const frames = join(root, `frames_${variant}pass`, split);
    const scenes = await scenesIn(frames);
    if (scenes.length === 0) throw new DataError(`${frames} has no scenes.`);
    const perScene = await Promise.all(
      scenes.map(async (scene) => {
        const files = await filesIn(join(frames, scene, "left"));
        return (task === "flow" ? files.slice(0, -1) : files).map((file, i) => ({ scene, file, next: files[i + 1] ?? file }));
      }),
    );
    const entries = perScene.flat();
    const description = `${entries.length} pairs of FlyingThings3D ${variant}'s split ${split} for ${task} from ${root}.`;
    return datasetOf({ name: `flying-things-${variant}`, task }, entries, description, async ({ scene, file, next }) => {
      const id = `${scene}/${stem(file)}`;
      const first = await readImage(join(frames, scene, "left", file));
      if (task === "disparity") {
        const right = await readImage(join(frames, scene, "right", file));
        const path = join(root, "disparity", split, scene, "left", `${stem(file)}.pfm`);
        return { id, inputs: { left: first, right }, ...(await load(path, parsePfmDisparity)) };
      }
      const image2 = await readImage(join(frames, scene, "left", next));
      const path = join(root, "optical_flow", split, scene, "into_future", "left", `OpticalFlowIntoFuture_${stem(file)}_L.pfm`);
      return { id, inputs: { image1: first, image2 }, ...(await load(path, parsePfmFlow)) };
    });
  },
};

async function scenesIn(frames: string): Promise<string[]> {
  const groups = await foldersIn(frames);
  const scenes = await Promise.all(
    groups.map(async (group) => (await foldersIn(join(frames, group))).map((scene) => `${group}/${scene}`)),
  );
  return scenes.flat();
}
