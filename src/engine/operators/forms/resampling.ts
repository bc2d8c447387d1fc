import type { Value } from "../../graph/graph.js";
import { defineComposite, flag, float, floats, int, type Operator, required, string } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { cast } from "../elementwise/cast.js";
import { constantNumbers, emit } from "../emit.js";
import { RoiAlign } from "../pooling/roi-align.js";
import { GridSample } from "../resampling/grid-sample.js";
import { Resize, resize } from "../resampling/resize.js";
import { newest } from "./newest.js";

const oldModes = string("nearest", ["nearest", "linear", "bilinear"]);

/**
 * Before opset 11 the coordinates were not specified; ONNX Runtime and the exporters of the time agree on x_in = x_out / scale, rounded
 * down for nearest (but up where the axis shrinks).
 */
function asymmetric(x: Value, scales: readonly number[], mode: string, fail: (message: string) => never): Value {
  const shrinks = scales.some((factor) => factor < 1);
  if (mode === "nearest" && shrinks && scales.some((factor) => factor > 1))
    fail("it shrinks one axis and stretches another, which opset 11 and above round alike; use two nodes");
  return resize(x, {
    scales,
    mode: mode === "nearest" ? "nearest" : "linear",
    coordinates: "asymmetric",
    ...(mode === "nearest" && { nearest: shrinks ? "ceil" : "floor" }),
  });
}

const upsampleByAttribute = defineComposite({
  name: "Upsample",
  opsets: [7, 8],
  inputs: ["X"],
  attributes: { mode: oldModes, scales: required(floats()) },
  decompose: ({ inputs: [x], attributes: { mode, scales }, fail }) => [asymmetric(x, scales, mode, fail)],
});

const byScales = (name: string, opset: number): Operator =>
  defineComposite({
    name,
    opsets: [opset, opset],
    inputs: ["X", "scales"],
    attributes: { mode: oldModes },
    decompose: ({ inputs: [x, scales], attributes: { mode }, fail }) => [
      asymmetric(x, constantNumbers(scales, "scales", fail), mode, fail),
    ],
  });

const removedUpsample = defineComposite({
  name: "Upsample",
  opsets: [10, newest],
  inputs: ["...inputs"],
  attributes: { mode: oldModes },
  decompose: ({ fail }) => fail("it was replaced by Resize in opset 10; export the model again"),
});

/**
 * Opset 11 required `roi` and `scales` and marked "left out" by an empty tensor. Removed in opset 13: x_in = (x_out + 0.5) / scale, half a pixel above
 * half_pixel, which rounding can say where it chooses an element.
 */
const resizeForm = defineComposite({
  name: "Resize",
  opsets: [11, newest],
  inputs: ["X", "roi?", "scales?", "sizes?"],
  attributes: Resize.attributes,
  decompose: ({ graph, name, inputs: [x, ...others], attributes }) => {
    const [roi, scales, sizes] = others.map((v) => (v && sizeOf(v.shape) === 0 ? undefined : v));
    // scales are float32 whatever x is; converters to float16 narrow them all the same
    const inputs = [x, roi, scales && cast(scales, "float32"), sizes];
    const same = attributes.nearest_mode === "floor" ? "round_prefer_ceil" : "ceil";
    const chosen = attributes.nearest_mode === "floor" || attributes.nearest_mode === "round_prefer_floor";
    const sayable =
      attributes.coordinate_transformation_mode === "tf_half_pixel_for_nn" && attributes.mode === "nearest" && chosen;
    const said = sayable ? { coordinate_transformation_mode: "half_pixel", nearest_mode: same } : {};
    return graph.add(Resize, inputs, { ...attributes, ...said }, { name });
  },
});

/** Gained the coordinate mode in opset 16, with another default than it had before. */
const roiAlignForm = defineComposite({
  name: "RoiAlign",
  opsets: [10, 15],
  inputs: ["X", "rois", "batch_indices"],
  attributes: {
    mode: string("avg", ["avg", "max"]),
    output_height: int(1),
    output_width: int(1),
    sampling_ratio: int(0),
    spatial_scale: float(1),
  },
  decompose: ({ inputs, attributes }) => [
    emit(RoiAlign, inputs, { ...attributes, coordinate_transformation_mode: "output_half_pixel" }),
  ],
});

/** Opset 20 calls the modes after what they are over any number of axes. */
const gridSampleForm = defineComposite({
  name: "GridSample",
  opsets: [20, newest],
  inputs: ["X", "grid"],
  attributes: {
    align_corners: flag(0),
    mode: string("linear", ["linear", "nearest", "cubic"]),
    padding_mode: string("zeros", ["zeros", "border", "reflection"]),
  },
  decompose: ({ inputs, attributes: { mode, ...others } }) => [
    emit(GridSample, inputs, { ...others, mode: mode === "linear" ? "bilinear" : mode === "cubic" ? "bicubic" : mode }),
  ],
});

export const resamplingForms: readonly Operator[] = [
  upsampleByAttribute,
  byScales("Upsample", 9),
  removedUpsample,
  byScales("Resize", 10),
  resizeForm,
  roiAlignForm,
  gridSampleForm,
];
