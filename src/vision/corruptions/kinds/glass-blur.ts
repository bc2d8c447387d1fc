import { defineCorruption, mapped } from "../corruption.js";
import { gaussian } from "../parts/filter.js";

/**
 * Frosted glass: a blur, pixels that are replaced by others nearby, and the blur again. From the lower right on, each pixel takes the colors of one that lies
 * up to `reach` pixels before or `reach - 1` after it; the published code means to exchange the two, but its assignment copies, and so does this.
 */
export const glassBlur = defineCorruption({
  name: "glass_blur",
  family: "blur",
  summary: "frosted glass",
  strengths: [
    { sigma: 0.7, reach: 1, times: 2 },
    { sigma: 0.9, reach: 2, times: 1 },
    { sigma: 1, reach: 2, times: 3 },
    { sigma: 1.1, reach: 3, times: 2 },
    { sigma: 1.5, reach: 4, times: 2 },
  ],
  apply: (picture, { sigma, reach, times }, random) => {
    const { height, width } = picture;
    const blurred = picture.planes.map((plane) => gaussian(plane, height, width, sigma));
    // The reference keeps 8 bits between its two blurs, and cuts off what is below.
    const { planes } = mapped({ ...picture, planes: blurred }, (v) => Math.floor(v * 255 + 1e-4) / 255);
    for (let t = 0; t < times; t++)
      for (let y = height - reach; y > reach; y--)
        for (let x = width - reach; x > reach; x--) {
          const dx = random.integer(2 * reach) - reach;
          const dy = random.integer(2 * reach) - reach;
          for (const plane of planes) plane[y * width + x] = plane[(y + dy) * width + x + dx]!;
        }
    return { ...picture, planes: planes.map((plane) => gaussian(plane, height, width, sigma)) };
  },
});
