import { defineCorruption } from "../corruption.js";
import { withSaturation } from "../parts/hsv.js";

/** The saturation of HSV times a factor, plus an offset: paler at 1 and 2, gaudier from 3 on. */
export const saturate = defineCorruption({
  name: "saturate",
  family: "extra",
  summary: "paler or gaudier colors",
  strengths: [
    { factor: 0.3, offset: 0 },
    { factor: 0.1, offset: 0 },
    { factor: 2, offset: 0 },
    { factor: 5, offset: 0.1 },
    { factor: 20, offset: 0.2 },
  ],
  apply: (picture, { factor, offset }) => withSaturation(picture, (saturation) => saturation * factor + offset),
});
