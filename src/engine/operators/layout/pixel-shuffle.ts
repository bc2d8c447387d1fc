import { GraphError, type Value } from "../../graph/graph.js";
import { describe } from "../../tensor/tensor.js";
import { depthToSpace } from "./depth-to-space.js";
import { reshape } from "./reshape.js";
import { transpose } from "./transpose.js";

/** PyTorch's PixelShuffle: [N, C·b², H, W] to [N, C, H·b, W·b], channels read as (channel, block row, block column). */
export const pixelShuffle = (x: Value, block: number): Value => depthToSpace(x, block, "CRD");

/**
 * PyTorch's PixelUnshuffle, the inverse of `pixelShuffle`: [N, C, H·b, W·b] to [N, C·b², H, W]. SpaceToDepth orders channels otherwise.
 *
 * @throws GraphError when height or width is no multiple of the block.
 */
export const pixelUnshuffle = (x: Value, block: number): Value => {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (x.shape.length !== 4 || h % block !== 0 || w % block !== 0)
    throw new GraphError(`pixelUnshuffle: ${describe(x)} must be [N, C, H, W] with H and W multiples of ${block}.`);
  const blocks = reshape(x, [n, c, h / block, block, w / block, block]);
  return reshape(transpose(blocks, [0, 1, 3, 5, 2, 4]), [n, c * block * block, h / block, w / block]);
};
