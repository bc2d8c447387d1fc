import type { Value } from "../../graph/graph.js";
import { defineOperator, int, required } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { emit } from "../emit.js";
import { depthToSpace } from "./depth-to-space.js";

/** Moves blocks of pixels into channels: [N, C, H·b, W·b] to [N, C·b², H, W], channels in the order (block row, block column, channel). */
export const spaceToDepth = (x: Value, block: number): Value => emit(SpaceToDepth, [x], { blocksize: block });

export const SpaceToDepth = defineOperator({
  name: "SpaceToDepth",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { blocksize: required(int()) },
  flops: "none",
  infer: ({ inputs: [x], attributes: { blocksize: b }, fail }) => {
    const [n, c, h, w] = x.shape;
    if (x.shape.length !== 4 || b < 1 || h! % b !== 0 || w! % b !== 0)
      fail(`its input must be [N, C, H, W] with H and W multiples of ${b}`);
    return [{ type: x.type, shape: [n!, c! * b * b, h! / b, w! / b] }];
  },
  range: ofFirst,
  // a permutation of the elements: the cotangent goes the way back
  gradient: ({ attributes: { blocksize } }, [g]) => [depthToSpace(g, blocksize, "DCR")],
});
