/**
 * KITTI 2015 flow and stereo (data_scene_flow): `training/image_2/NNNNNN_10.png` and `_11.png` (left camera, two moments), `image_3`
 * (right camera), truth in `flow_occ` and `disp_occ_0` as 16-bit PNG. `flow_noc` and `disp_noc_0` hold the truth of pixels that
 * the other view sees too; where they are present, the rest is given as `occluded`.
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

interface Reading {
  readonly roles: readonly [string, string];
  readonly second: (file: string) => string;
  readonly truth: { readonly all: string; readonly seen: string; readonly parse: (bytes: Uint8Array) => Correspondence };
}

/** What is read for a task: the second picture of a pair, the names of both, and the folders and the form of the truth. */
const readings = {
  flow: {
    roles: ["image1", "image2"],
    second: (file: string) => join("image_2", file.replace("_10.", "_11.")),
    truth: { all: "flow_occ", seen: "flow_noc", parse: parseKittiFlow },
  },
  disparity: {
    roles: ["left", "right"],
    second: (file: string) => join("image_3", file),
    truth: { all: "disp_occ_0", seen: "disp_noc_0", parse: parseKittiDisparity },
  },
} satisfies Partial<Record<TaskName, Reading>>;

export const kitti: Layout = {
  name: "kitti",
  tasks: Object.keys(readings) as (keyof typeof readings)[],
  looksFor: "training/image_2/*_10.png with training/flow_occ/ or training/disp_occ_0/",

  matches: (root, { split = "training" }) => isFolder(root, split, "image_2"),

  async open(root, { task, split = "training" }) {
    const { roles, second, truth } = readingOf<Reading>("KITTI", readings, task);
    const base = join(root, split);
    const files = (await filesIn(join(base, "image_2"))).filter((name) => /_10\.\w+$/.test(name));
    if (files.length === 0) throw new DataError(`${join(base, "image_2")} has no pictures named NNNNNN_10.png.`);
    const labeled = await isFolder(base, truth.all);
    const labels = labeled ? "with truth" : "without truth";
    const description = `${files.length} pairs of KITTI 2015's split ${split} for ${task} from ${root}, ${labels}.`;
    return datasetOf({ name: "kitti", task }, files, description, async (file) => {
      const pair = [await readImage(join(base, "image_2", file)), await readImage(join(base, second(file)))] as const;
      const sample = { id: file.replace(/\.\w+$/, ""), inputs: { [roles[0]]: pair[0], [roles[1]]: pair[1] } };
      if (!labeled) return sample;
      const known = await load(join(base, truth.all, file), truth.parse);
      if (!(await isFile(base, truth.seen, file))) return { ...sample, ...known };
      return {
        ...sample,
        ...known,
        occluded: difference(known.valid, (await load(join(base, truth.seen, file), truth.parse)).valid),
      };
    });
  },
};

function difference(a: Tensor<"bool">, b: Tensor<"bool">): Tensor<"bool"> {
  return tensor(
    "bool",
    a.shape,
    a.data.map((v, i) => (v === 1 && b.data[i] === 0 ? 1 : 0)),
  );
}
