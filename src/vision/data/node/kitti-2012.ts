/** KITTI 2012 flow and stereo (data_stereo_flow): static scenes, in color and in gray. */
import { kittiScenes } from "./kitti-scenes.js";

export const kitti2012 = kittiScenes({
  name: "kitti-2012",
  year: 2012,
  cameras: { color: { left: "colored_0", right: "colored_1" }, gray: { left: "image_0", right: "image_1" } },
  flow: { all: "flow_occ", seen: "flow_noc" },
  disparity: { all: "disp_occ", seen: "disp_noc" },
});
