import { defineCorruption } from "../corruption.js";

/** Draws each color towards its own mean over the picture; strengths are what is left of the difference. */
export const contrast = defineCorruption({
  name: "contrast",
  family: "digital",
  summary: "less contrast",
  strengths: [0.4, 0.3, 0.2, 0.1, 0.05],
  apply: (picture, share) => ({
    ...picture,
    planes: picture.planes.map((plane) => {
      const mean = plane.reduce((a, b) => a + b, 0) / plane.length;
      return plane.map((v) => (v - mean) * share + mean);
    }),
  }),
});
