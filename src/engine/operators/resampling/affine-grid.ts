import type { Value } from "../../graph/graph.js";
import { defineComposite, flag } from "../../graph/operator.js";
import { tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { constantNumbers, emit, intsConstant } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";

/**
 * The places that GridSample reads to move an image by an affine map (Jaderberg et al., "Spatial transformer networks", 2015).
 *
 * @param theta `[N, 2, 3]` for images, `[N, 3, 4]` for volumes: the map, its last column the shift
 * @param size shape of the image that is sampled to: `[N, C, H, W]` or `[N, C, D, H, W]`
 * @param coordinates whether -1 and 1 mean the outer edges of the border pixels ("half_pixel", the default) or their centers
 * @returns `[N, H, W, 2]` or `[N, D, H, W, 3]`
 * @example const moved = gridSample(image, affineGrid(theta, image.shape));
 */
export const affineGrid = (
  theta: Value,
  size: readonly number[],
  coordinates: "half_pixel" | "align_corners" = "half_pixel",
): Value =>
  emit(AffineGrid, [theta, intsConstant(theta.graph, size)], { align_corners: coordinates === "align_corners" ? 1 : 0 });

export const AffineGrid = defineComposite({
  name: "AffineGrid",
  inputs: ["theta", "size"],
  outputs: ["grid"],
  attributes: { align_corners: flag(0) },
  // with positions p_k along the axes (x, y, z): grid = Σ_k theta[:, k] p_k + theta[:, last]
  decompose: ({ inputs: [theta, sizeInput], attributes, fail }) => {
    const size = constantNumbers(sizeInput, "size", fail);
    const spatial = size.slice(2);
    const rank = spatial.length;
    if (rank !== 2 && rank !== 3) fail("size must be [N, C, H, W] or [N, C, D, H, W]");
    const [n, rows, columns] = theta.shape;
    if (theta.shape.length !== 3 || n !== size[0] || rows !== rank || columns !== rank + 1)
      fail(`theta must be [${size[0]}, ${rank}, ${rank + 1}]`);
    const column = (k: number): Value =>
      reshape(slice(theta, [k], [k + 1], { axes: [2] }), [size[0]!, ...spatial.map(() => 1), rank]);
    const terms = spatial.map((length, axis) => {
      const shape = [1, ...spatial.map((d, i) => (i === axis ? d : 1)), 1];
      const positions = theta.graph.constant(tensor(theta.type, shape, axisPositions(length, attributes.align_corners !== 0)));
      return mul(column(rank - 1 - axis), positions);
    });
    return [add(terms.reduceRight(add), column(rank))];
  },
});

/** From -1 to 1 along an axis: to the centers of the border pixels, or to their outer edges. */
function axisPositions(length: number, corners: boolean): number[] {
  if (corners && length === 1) return [0];
  return Array.from({ length }, (_, i) => (corners ? (2 * i) / (length - 1) - 1 : (2 * i + 1) / length - 1));
}
