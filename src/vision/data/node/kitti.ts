/**
 * KITTI 2015 flow and stereo (data_scene_flow): `training/image_2/NNNNNN_10.png` and `_11.png` (left camera, two moments), `image_3`
 * (right camera), truth in `flow_occ` and `disp_occ_0` as 16-bit PNG. `flow_noc` and `disp_noc_0` hold the truth of pixels that
 * the other view sees too; where they are present, the rest is given as `occluded`.
 */
import { join } from "node:path";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import { parseKittiDisparity, parseKittiFlow } from "../formats/kitti.js";
import { filesIn, isFile, isFolder, load } from "./files.js";
import { readImage } from "./image-file.js";
import type { Layout } from "./layout.js";

export const kitti: Layout = {
  name: "kitti",
  tasks: ["flow", "disparity"],
  looksFor: "training/image_2/*_10.png with training/flow_occ/ or training/disp_occ_0/",

  matches: (root, { split = "training" }) => isFolder(root, split, "image_2"),

  async open(root, { task, split = "training" }) {
    if (task !== "flow" && task !== "disparity") throw new DataError(`KITTI is read for flow and disparity, not for ${task}.`);
    const base = join(root, split);
    const files = (await filesIn(join(base, "image_2"))).filter((name) => /_10\.\w+$/.test(name));
    if (files.length === 0) throw new DataError(`${join(base, "image_2")} has no pictures named NNNNNN_10.png.`);
    const [all, seen, parse] =
      task === "flow"
        ? (["flow_occ", "flow_noc", parseKittiFlow] as const)
        : (["disp_occ_0", "disp_noc_0", parseKittiDisparity] as const);
    const labeled = await isFolder(base, all);
    const labels = labeled ? "with truth" : "without truth";
    const description = `${files.length} pairs of KITTI 2015's split ${split} for ${task} from ${root}, ${labels}.`;
    return datasetOf({ name: "kitti", task }, files, description, async (file) => {
      const first = await readImage(join(base, "image_2", file));
      const second = await readImage(
        join(base, ...(task === "flow" ? ["image_2", file.replace("_10.", "_11.")] : ["image_3", file])),
      );
      const sample = {
        id: file.replace(/\.\w+$/, ""),
        inputs: task === "flow" ? { image1: first, image2: second } : { left: first, right: second },
      };
      if (!labeled) return sample;
      const truth = await load(join(base, all, file), parse);
      if (!(await isFile(base, seen, file))) return { ...sample, ...truth };
      return { ...sample, ...truth, occluded: difference(truth.valid, (await load(join(base, seen, file), parse)).valid) };
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
