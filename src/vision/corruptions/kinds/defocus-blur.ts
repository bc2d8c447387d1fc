import { defineCorruption } from "../corruption.js";
import { correlate, gaussianKernel, separable } from "../parts/filter.js";

/** The blur of a lens out of focus: the mean over a disk of so many pixels, whose rim is softened by a small Gaussian. */
export const defocusBlur = defineCorruption({
  name: "defocus_blur",
  family: "blur",
  summary: "a lens that is out of focus",
  strengths: [
    { radius: 3, rim: 0.1 },
    { radius: 4, rim: 0.5 },
    { radius: 6, rim: 0.5 },
    { radius: 8, rim: 0.5 },
    { radius: 10, rim: 0.5 },
  ],
  apply: (picture, { radius, rim }) => {
    const kernel = disk(radius, rim);
    return {
      ...picture,
      planes: picture.planes.map((plane) => correlate(plane, picture.height, picture.width, kernel)),
    };
  },
});

/** The reference draws small disks on a field of 17x17 and softens them over 3 pixels, large ones on a field as large as they are and over 5. */
function disk(radius: number, rim: number): Float64Array {
  const reach = Math.max(8, radius);
  const side = 2 * reach + 1;
  const inside = Float32Array.from({ length: side * side }, (_, i) =>
    (Math.floor(i / side) - reach) ** 2 + ((i % side) - reach) ** 2 <= radius ** 2 ? 1 : 0,
  );
  const taps = radius <= 8 ? 1 : 2;
  const soft = gaussianKernel(rim, (taps + 0.4) / rim);
  const area = inside.reduce((a, b) => a + b);
  return Float64Array.from(separable(inside, side, side, soft, soft, "mirror"), (v) => v / area);
}
