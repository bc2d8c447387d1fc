import { defineCorruption } from "../corruption.js";
import { gaussian } from "../parts/filter.js";

/** A Gaussian blur; strengths are its deviation in pixels. */
export const gaussianBlur = defineCorruption({
  name: "gaussian_blur",
  family: "extra",
  summary: "a soft blur",
  strengths: [1, 2, 3, 4, 6],
  apply: (picture, sigma) => ({
    ...picture,
    planes: picture.planes.map((plane) => gaussian(plane, picture.height, picture.width, sigma)),
  }),
});
