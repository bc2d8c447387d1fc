import type { Value } from "../../graph/graph.js";
import { defineOperator, float, ints, notDifferentiable, required } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit } from "../emit.js";

/** The largest element in each cell of a grid laid over each region of interest `[batch index, x1, y1, x2, y2]` (Fast R-CNN). */
export const maxRoiPool = (x: Value, rois: Value, pooledShape: readonly [number, number], spatialScale = 1): Value =>
  emit(MaxRoiPool, [x, rois], { pooled_shape: pooledShape, spatial_scale: spatialScale });

export const MaxRoiPool = defineOperator({
  name: "MaxRoiPool",
  inputs: ["X", "rois"],
  attributes: { pooled_shape: required(ints()), spatial_scale: float(1) },
  infer: ({ inputs: [x, rois], attributes, fail }) => {
    if (x.shape.length !== 4) fail("X must be [N, C, H, W]");
    if (rois.shape.length !== 2 || rois.shape[1] !== 5) fail("rois must be [regions, 5]");
    if (attributes.pooled_shape.length !== 2) fail("pooled_shape must have 2 entries");
    return [{ type: x.type, shape: [rois.shape[0]!, x.shape[1]!, ...attributes.pooled_shape] }];
  },
  range: finite,
  gradient: notDifferentiable("its windows depend on boxes that are known only when the model runs"),
});
