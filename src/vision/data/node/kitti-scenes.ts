/**
 * KITTI's benchmarks of flow and stereo, 2012 and 2015. A scene is NNNNNN: `training/<left>/NNNNNN_10.png` and `_11.png` (left camera, two moments), `<right>`
 * (right camera), truth of about half of the pixels as 16-bit PNG. The `noc` folders hold the truth of pixels that the other view sees too; where they are
 * present, the rest is given as `occluded`. The two differ in the names of their folders.
 */
import { join } from "node:path";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { TaskName } from "../../tasks/names.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import type { Correspondence } from "../formats/correspondence.js";
import { parseKittiDisparity, parseKittiFlow } from "../formats/kitti.js";
import { filesIn, isFile, isFolder, load } from "./files.js";
import { readImage } from "./image-file.js";
import { type Layout, readingOf } from "./layout.js";

export interface KittiEdition {
  readonly name: string;
  readonly year: number;
  /** Folders of the left and the right camera, by variant; the first that is there is the usual one. */
  readonly cameras: Readonly<Record<string, { readonly left: string; readonly right: string }>>;
  /** Folders of the truth: of all pixels, and of those that the other view sees too. */
  readonly flow: Folders;
  readonly disparity: Folders;
}

interface Folders {
  readonly all: string;
  readonly seen: string;
}

/** What is read for a task: the names of the pair's pictures, where the second one lies, and the form of the truth. */
const readings = {
  flow: {
    roles: ["image1", "image2"],
    second: ({ left }: Cameras, file: string) => join(left, file.replace("_10.", "_11.")),
    parse: parseKittiFlow,
  },
  disparity: {
    roles: ["left", "right"],
    second: ({ right }: Cameras, file: string) => join(right, file),
    parse: parseKittiDisparity,
  },
} satisfies Partial<Record<TaskName, Reading>>;

interface Reading {
  readonly roles: readonly [string, string];
  readonly second: (cameras: Cameras, file: string) => string;
  readonly parse: (bytes: Uint8Array) => Correspondence;
}
type Cameras = KittiEdition["cameras"][string];

/** The layout of one of the two. */
export function kittiScenes(edition: KittiEdition): Layout {
  const variants = Object.keys(edition.cameras);
  const lefts = Object.values(edition.cameras).map(({ left }) => left);
  /** The variants that are there. */
  async function present(base: string): Promise<string[]> {
    const there = await Promise.all(lefts.map((left) => isFolder(base, left)));
    return variants.filter((_, i) => there[i]);
  }
  return {
    name: edition.name,
    tasks: Object.keys(readings) as (keyof typeof readings)[],
    looksFor: `${lefts.map((left) => `training/${left}/*_10.png`).join(" or ")} with training/${edition.flow.all}/ or training/${edition.disparity.all}/`,

    matches: async (root, { split = "training" }) => (await present(join(root, split))).length > 0,

    async open(root, { task, split = "training", variant }) {
      const { roles, second, parse } = readingOf<Reading>("KITTI", readings, task);
      const base = join(root, split);
      if (variant !== undefined && !variants.includes(variant))
        throw new DataError(
          variants.length > 1
            ? `KITTI ${edition.year}'s variants are ${variants.join(" and ")}, not "${variant}".`
            : `KITTI ${edition.year} has no variants; leave "${variant}" out.`,
        );
      const there = await present(base);
      const chosen = variant ?? there[0];
      if (chosen === undefined || !there.includes(chosen))
        throw new DataError(
          `${base} has no ${chosen === undefined ? lefts.map((l) => `${l}/`).join(" or ") : `${edition.cameras[chosen]!.left}/`}.`,
        );
      const cameras = edition.cameras[chosen]!;
      const files = (await filesIn(join(base, cameras.left))).filter((name) => /_10\.\w+$/.test(name));
      if (files.length === 0) throw new DataError(`${join(base, cameras.left)} has no pictures named NNNNNN_10.png.`);
      const truth = edition[task as keyof typeof readings];
      const labeled = await isFolder(base, truth.all);
      const description = `${files.length} pairs of KITTI ${edition.year}'s split ${split} for ${task} from ${root}${variants.length > 1 ? ` (${chosen})` : ""}, ${labeled ? "with" : "without"} truth.`;
      return datasetOf({ name: edition.name, task }, files, description, async (file) => {
        const pair = [
          await readImage(join(base, cameras.left, file)),
          await readImage(join(base, second(cameras, file))),
        ] as const;
        const sample = { id: file.replace(/\.\w+$/, ""), inputs: { [roles[0]]: pair[0], [roles[1]]: pair[1] } };
        if (!labeled) return sample;
        const known = await load(join(base, truth.all, file), parse);
        if (!(await isFile(base, truth.seen, file))) return { ...sample, ...known };
        const { valid: seen } = await load(join(base, truth.seen, file), parse);
        return { ...sample, ...known, occluded: difference(known.valid, seen) };
      });
    },
  };
}

function difference(a: Tensor<"bool">, b: Tensor<"bool">): Tensor<"bool"> {
  return tensor(
    "bool",
    a.shape,
    a.data.map((v, i) => (v === 1 && b.data[i] === 0 ? 1 : 0)),
  );
}
