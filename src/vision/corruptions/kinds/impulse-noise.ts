import { defineCorruption, perValue } from "../corruption.js";

/** Sets a share of all values to 0 or 1, each as often; strengths are the share. */
export const impulseNoise = defineCorruption({
  name: "impulse_noise",
  family: "noise",
  summary: "values that are lost, black or white",
  strengths: [0.03, 0.06, 0.09, 0.17, 0.27],
  apply: (picture, share, random) =>
    perValue(picture, (v) => {
      const u = random.uniform();
      return u >= share ? v : u < share / 2 ? 1 : 0;
    }),
});
