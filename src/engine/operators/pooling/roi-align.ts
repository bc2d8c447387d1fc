import type { Value } from "../../graph/graph.js";
import { defineOperator, float, int, string } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit } from "../emit.js";
import { gradientThroughParts } from "../through-parts.js";
import { roiAlignParts } from "./roi-align-parts.js";

export interface RoiAlignOptions {
  readonly outputSize: readonly [height: number, width: number];
  /** How the samples of a cell are joined; default "avg". */
  readonly mode?: "avg" | "max";
  /** Samples along each side of a cell; 0 (the default) takes as many as the cell has pixels. */
  readonly samplingRatio?: number;
  /** What box coordinates are multiplied by to become those of `x`; default 1. */
  readonly spatialScale?: number;
  /** Whether box coordinates are shifted by half a pixel; default "half_pixel". */
  readonly coordinates?: "half_pixel" | "output_half_pixel";
}

/**
 * Samples `x` bilinearly in each cell of a grid laid over each box (He et al., "Mask R-CNN", 2017).
 *
 * @param x `[N, C, H, W]`
 * @param rois boxes `[R, 4]`: x1, y1, x2, y2
 * @param batchIndices which image each box lies in, int64 `[R]`
 * @returns `[R, C, height, width]`
 */
export const roiAlign = (x: Value, rois: Value, batchIndices: Value, o: RoiAlignOptions): Value =>
  emit(RoiAlign, [x, rois, batchIndices], {
    output_height: o.outputSize[0],
    output_width: o.outputSize[1],
    mode: o.mode,
    sampling_ratio: o.samplingRatio,
    spatial_scale: o.spatialScale,
    coordinate_transformation_mode: o.coordinates,
  });

export const RoiAlign = defineOperator({
  name: "RoiAlign",
  inputs: ["X", "rois", "batch_indices"],
  attributes: {
    coordinate_transformation_mode: string("half_pixel", ["half_pixel", "output_half_pixel"]),
    mode: string("avg", ["avg", "max"]),
    output_height: int(1),
    output_width: int(1),
    sampling_ratio: int(0),
    spatial_scale: float(1),
  },
  infer: ({ inputs: [x, rois, batchIndices], attributes, fail }) => {
    if (attributes.sampling_ratio < 0) fail(`its sampling_ratio is ${attributes.sampling_ratio}, where it must be at least 0`);
    if (x.shape.length !== 4) fail("X must be [N, C, H, W]");
    if (rois.shape.length !== 2 || rois.shape[1] !== 4) fail("rois must be [R, 4]");
    if (batchIndices.shape.length !== 1 || batchIndices.shape[0] !== rois.shape[0])
      fail("batch_indices must hold one number per box");
    return [{ type: x.type, shape: [rois.shape[0]!, x.shape[1]!, attributes.output_height, attributes.output_width] }];
  },
  range: finite,
  gradient: (context, cotangents) => gradientThroughParts(context, cotangents, (parts) => [roiAlignParts(parts)]),
});
