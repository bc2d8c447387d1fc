/**
 * FlyingThings3D in its full layout: `frames_<clean|final>pass/<TRAIN|TEST>/<A|B|C>/<scene>/<left|right>/NNNN.png`,
 * `optical_flow/.../into_future/left/OpticalFlowIntoFuture_NNNN_L.pfm`, `disparity/.../left/NNNN.pfm`. The left camera's truth is read:
 * flow to the next frame, disparity to the right camera. Variant: "clean" (default) or "final".
 */
import { join } from "node:path";
import type { TaskName } from "../../tasks/names.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import type { Correspondence } from "../formats/correspondence.js";
import { parsePfmDisparity, parsePfmFlow } from "../formats/pfm.js";
import { filesIn, foldersIn, isFolder, load, stem } from "./files.js";
import { readImage } from "./image-file.js";
import { type Layout, readingOf } from "./layout.js";

/** A picture of the left camera, and the one after it where there is one. */
interface Place {
  readonly scene: string;
  readonly file: string;
  readonly next: string | undefined;
}

interface Reading {
  readonly roles: readonly [string, string];
  readonly paired: (place: Place) => boolean;
  readonly second: (place: Place) => string;
  readonly truth: (place: Place, split: string) => string;
  readonly parse: (bytes: Uint8Array) => Correspondence;
}

/** What is read for a task: which pictures have a second one, the names of both, and where the second and the truth lie. */
const readings = {
  flow: {
    roles: ["image1", "image2"],
    paired: ({ next }: Place) => next !== undefined,
    second: ({ scene, next }: Place) => join(scene, "left", next!),
    truth: ({ scene, file }: Place, split: string) =>
      join("optical_flow", split, scene, "into_future", "left", `OpticalFlowIntoFuture_${stem(file)}_L.pfm`),
    parse: parsePfmFlow,
  },
  disparity: {
    roles: ["left", "right"],
    paired: () => true,
    second: ({ scene, file }: Place) => join(scene, "right", file),
    truth: ({ scene, file }: Place, split: string) => join("disparity", split, scene, "left", `${stem(file)}.pfm`),
    parse: parsePfmDisparity,
  },
} satisfies Partial<Record<TaskName, Reading>>;

export const flyingThings: Layout = {
  name: "flying-things",
  tasks: Object.keys(readings) as (keyof typeof readings)[],
  looksFor: "frames_cleanpass/TEST/ or frames_finalpass/TEST/ with optical_flow/ or disparity/",

  matches: async (root) => (await isFolder(root, "frames_cleanpass")) || (await isFolder(root, "frames_finalpass")),

  async open(root, { task, split = "TEST", variant = "clean" }) {
    const { roles, paired, second, truth, parse } = readingOf<Reading>("FlyingThings3D", readings, task);
    if (variant !== "clean" && variant !== "final")
      throw new DataError(`FlyingThings3D's variants are clean and final, not "${variant}".`);
    const frames = join(root, `frames_${variant}pass`, split);
    const scenes = await scenesIn(frames);
    if (scenes.length === 0) throw new DataError(`${frames} has no scenes.`);
    const perScene = await Promise.all(
      scenes.map(async (scene) => {
        const files = await filesIn(join(frames, scene, "left"));
        return files.map((file, i): Place => ({ scene, file, next: files[i + 1] })).filter(paired);
      }),
    );
    const entries = perScene.flat();
    const description = `${entries.length} pairs of FlyingThings3D ${variant}'s split ${split} for ${task} from ${root}.`;
    return datasetOf({ name: `flying-things-${variant}`, task }, entries, description, async (place) => {
      const { scene, file } = place;
      const first = await readImage(join(frames, scene, "left", file));
      const other = await readImage(join(frames, second(place)));
      const inputs = { [roles[0]]: first, [roles[1]]: other };
      return { id: `${scene}/${stem(file)}`, inputs, ...(await load(join(root, truth(place, split)), parse)) };
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
