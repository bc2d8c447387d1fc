import type { Value } from "../../graph/graph.js";
import { defineOperator, int, required, string } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { emit } from "../emit.js";
import { pixelUnshuffle } from "./pixel-shuffle.js";
import { spaceToDepth } from "./space-to-depth.js";

/** How channels are read: DCR as (block row, block column, channel), CRD as (channel, block row, block column), PyTorch's order. */
export type DepthOrder = "DCR" | "CRD";

/** Moves blocks of channels into space: [N, C·b², H, W] to [N, C, H·b, W·b]. */
export const depthToSpace = (x: Value, block: number, mode: DepthOrder = "DCR"): Value =>
  emit(DepthToSpace, [x], { blocksize: block, mode });

export const DepthToSpace = defineOperator({
  name: "DepthToSpace",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { blocksize: required(int()), mode: string("DCR", ["DCR", "CRD"]) },
  flops: "none",
  infer: ({ inputs: [x], attributes: { blocksize: b }, fail }) => {
    const [n, c, h, w] = x.shape;
    if (x.shape.length !== 4 || b < 1 || c! % (b * b) !== 0)
      fail(`its input must be [N, C, H, W] with C a multiple of ${b}² = ${b * b}`);
    return [{ type: x.type, shape: [n!, c! / (b * b), h! * b, w! * b] }];
  },
  range: ofFirst,
  // a permutation of the elements: the cotangent goes the way back
  gradient: ({ attributes: { blocksize, mode } }, [g]) => [
    mode === "CRD" ? pixelUnshuffle(g, blocksize) : spaceToDepth(g, blocksize),
  ],
});
