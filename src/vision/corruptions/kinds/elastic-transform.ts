import { defineCorruption, drawnPlane } from "../corruption.js";
import { within } from "../parts/border.js";
import { gaussianKernel, separable } from "../parts/filter.js";

/**
 * Pulls the picture out of shape: every pixel is taken from a place nearby, by offsets that are uniform noise up to 0.5 % of the height, smoothed over 1 % of
 * each side, and multiplied; strengths are the factor.
 */
export const elasticTransform = defineCorruption({
  name: "elastic_transform",
  family: "digital",
  summary: "a picture that is pulled out of shape",
  strengths: [12.5, 16.25, 21.25, 25, 30],
  apply: (picture, factor, random) => {
    const { height, width, planes } = picture;
    const reach = height * 0.005;
    const [down, across] = [gaussianKernel(height * 0.01, 3), gaussianKernel(width * 0.01, 3)];
    const offsets = () =>
      separable(
        drawnPlane(height, width, () => random.uniform(-reach, reach)),
        height,
        width,
        down,
        across,
        "symmetric",
      );
    const [dx, dy] = [offsets(), offsets()];
    return {
      ...picture,
      planes: planes.map((plane) =>
        plane.map((_, i) => {
          const y = Math.floor(i / width) + dy[i]! * factor;
          const x = (i % width) + dx[i]! * factor;
          const [top, left] = [Math.floor(y), Math.floor(x)];
          const at = (row: number, column: number) =>
            plane[within(row, height, "symmetric") * width + within(column, width, "symmetric")]!;
          const [v, h] = [y - top, x - left];
          return (
            (1 - v) * ((1 - h) * at(top, left) + h * at(top, left + 1)) +
            v * ((1 - h) * at(top + 1, left) + h * at(top + 1, left + 1))
          );
        }),
      ),
    };
  },
});
