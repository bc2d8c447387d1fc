/** KITTI 2015 flow and stereo (data_scene_flow): color pictures, truth of moving objects too. */
import { kittiScenes } from "./kitti-scenes.js";

export const kitti = kittiScenes({
  name: "kitti",
  year: 2015,
  cameras: { color: { left: "image_2", right: "image_3" } },
  flow: { all: "flow_occ", seen: "flow_noc" },
  disparity: { all: "disp_occ_0", seen: "disp_noc_0" },
});
