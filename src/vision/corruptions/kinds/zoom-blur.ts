import { defineCorruption } from "../corruption.js";
import { zoomed } from "../parts/zoom.js";

/** A camera that comes nearer: the mean of the picture and of its enlargements from 1 on; strengths are how many there are, and how far apart. */
export const zoomBlur = defineCorruption({
  name: "zoom_blur",
  family: "blur",
  summary: "a camera that comes nearer",
  strengths: [
    { layers: 12, step: 0.01 },
    { layers: 16, step: 0.01 },
    { layers: 11, step: 0.02 },
    { layers: 13, step: 0.02 },
    { layers: 11, step: 0.03 },
  ],
  apply: (picture, { layers, step }) => ({
    ...picture,
    planes: picture.planes.map((plane) => {
      const sum = Float64Array.from(plane);
      for (let i = 0; i < layers; i++) {
        const layer = zoomed(plane, picture.height, picture.width, 1 + i * step);
        for (let k = 0; k < sum.length; k++) sum[k]! += layer[k]!;
      }
      return Float32Array.from(sum, (v) => v / (layers + 1));
    }),
  }),
});
