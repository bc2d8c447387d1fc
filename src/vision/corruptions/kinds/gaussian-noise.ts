import { defineCorruption, perValue } from "../corruption.js";

/** Adds normal noise to every value; strengths are its deviation. */
export const gaussianNoise = defineCorruption({
  name: "gaussian_noise",
  family: "noise",
  summary: "normal noise, as in low light",
  strengths: [0.08, 0.12, 0.18, 0.26, 0.38],
  apply: (picture, deviation, random) => perValue(picture, (v) => v + random.normal(0, deviation)),
});
