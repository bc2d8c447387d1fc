import { defineCorruption, perValue } from "../corruption.js";

/** Normal noise in proportion to the value; strengths are its deviation at white. */
export const speckleNoise = defineCorruption({
  name: "speckle_noise",
  family: "extra",
  summary: "normal noise in proportion to the light",
  strengths: [0.15, 0.2, 0.35, 0.45, 0.6],
  apply: (picture, deviation, random) => perValue(picture, (v) => v + v * random.normal(0, deviation)),
});
