import type { Value } from "../../graph/graph.js";
import { defineOperator, flag, type Operator, string } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { cast } from "../elementwise/cast.js";
import { emit } from "../emit.js";
import { gridSampleGradient } from "./grid-sample-gradient.js";
import { sampleVolume } from "./grid-sample-volume.js";

export type GridSampleMode = "bilinear" | "nearest" | "bicubic";
export type GridSamplePadding = "zeros" | "border" | "reflection";

export interface GridSampleOptions {
  /** Default "bilinear". "bicubic" is Keys' kernel with a = -0.75. */
  readonly mode?: GridSampleMode;
  /** What lies outside the image: zeros (the default), the border repeated, or the image mirrored. */
  readonly padding?: GridSamplePadding;
  /** Whether -1 and 1 mean the outer edges of the border pixels ("half_pixel", the default) or their centers ("align_corners"). */
  readonly coordinates?: "half_pixel" | "align_corners";
}

/**
 * Samples an image or a volume at given places.
 *
 * @param x `[N, C, H, W]`, `[N, C, D, H, W]`, or with any other number of spatial axes
 * @param grid `[N, H', W', 2]`, `[N, D', H', W', 3]`: for each output pixel the place (x, y), (x, y, z), from -1 to 1 across the image
 * @returns `[N, C, H', W']`, `[N, C, D', H', W']`
 * @throws GraphError where batch sizes or the grid's last axis do not fit.
 * @example const warped = gridSample(image, add(identityGrid, flow), { padding: "border" });
 */
export const gridSample = (x: Value, grid: Value, { mode, padding, coordinates }: GridSampleOptions = {}): Value =>
  emit(GridSample, [x, grid], { mode, padding_mode: padding, align_corners: coordinates === "align_corners" ? 1 : 0 });

export const GridSample: Operator = defineOperator({
  name: "GridSample",
  inputs: ["X", "grid"],
  attributes: {
    align_corners: flag(0),
    mode: string<GridSampleMode>("bilinear", ["bilinear", "nearest", "bicubic"]),
    padding_mode: string<GridSamplePadding>("zeros", ["zeros", "border", "reflection"]),
  },
  infer: ({ inputs: [x, grid], fail }) => {
    const rank = x.shape.length - 2;
    if (rank < 1 || grid.shape.length !== rank + 2)
      fail("X must be [N, C, H, W] and grid [N, H', W', 2], or both have as many further axes");
    if (grid.shape.at(-1) !== rank) fail(`the last axis of grid must hold ${rank} coordinates`);
    if (grid.shape[0] !== x.shape[0]) fail("X and grid must have one batch size");
    return [{ type: x.type, shape: [x.shape[0]!, x.shape[1]!, ...grid.shape.slice(1, -1)] }];
  },
  range: finite,
  // opset 18 samples images only, and no kernel takes a grid of another type than X's (PyTorch's exporter writes float64 beside float32)
  decompose: (context) => {
    const [x, grid] = context.inputs;
    if (grid.type !== x.type)
      return [cast(gridSample(cast(x, "float32"), cast(grid, "float32"), optionsOf(context.attributes)), x.type)];
    // and none takes float64 images before opset 20
    if (x.shape.length === 4 && x.type !== "float64") return undefined;
    GridSample.infer(context);
    return [sampleVolume(x, grid, optionsOf(context.attributes))];
  },
  gradient: ({ inputs: [x, grid], attributes, wanted }, [g]) => gridSampleGradient(x, grid, g, wanted, optionsOf(attributes)),
});

function optionsOf(attributes: {
  readonly align_corners: number;
  readonly mode: GridSampleMode;
  readonly padding_mode: GridSamplePadding;
}): Required<GridSampleOptions> {
  return {
    mode: attributes.mode,
    padding: attributes.padding_mode,
    coordinates: attributes.align_corners ? "align_corners" : "half_pixel",
  };
}
