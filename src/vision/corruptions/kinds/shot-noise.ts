import type { Random } from "../../../engine/tensor/random.js";
import { defineCorruption, perValue } from "../corruption.js";

/** Counts photons: each value becomes n / c with n drawn from a Poisson distribution of mean v c; strengths are c, the photons of white. */
export const shotNoise = defineCorruption({
  name: "shot_noise",
  family: "noise",
  summary: "photons that are counted one by one",
  strengths: [60, 25, 12, 5, 3],
  apply: (picture, photons, random) => perValue(picture, (v) => poisson(v * photons, random) / photons),
});

/** A draw by inversion: the first n whose cumulated probability exceeds a uniform number. Means here are 60 at most. */
function poisson(mean: number, random: Random): number {
  const u = random.uniform();
  let n = 0;
  let probability = Math.exp(-mean);
  for (let sum = probability; u >= sum && probability > 0; sum += probability) probability *= mean / ++n;
  return n;
}
