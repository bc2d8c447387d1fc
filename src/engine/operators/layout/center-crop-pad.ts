import type { Value } from "../../graph/graph.js";
import { defineOperator, ints } from "../../graph/operator.js";
import { ofAll } from "../../graph/range.js";
import { constantNumbers, emit, intsConstant, normalizeAxis } from "../emit.js";

/** Crops or zero-pads the given axes (default: all) to the given sizes, about the center. */
export const centerCropPad = (x: Value, sizes: readonly number[], axes?: readonly number[]): Value =>
  emit(CenterCropPad, [x, intsConstant(x.graph, sizes)], { axes });

export const CenterCropPad = defineOperator({
  name: "CenterCropPad",
  inputs: ["input_data", "shape"],
  outputs: ["output_data"],
  attributes: { axes: ints() },
  flops: "none",
  infer: ({ inputs: [x, sizesInput], attributes, fail }) => {
    const sizes = constantNumbers(sizesInput, "shape", fail);
    const axes = (attributes.axes ?? x.shape.map((_, i) => i)).map((a) => normalizeAxis(a, x.shape.length, fail));
    if (sizes.length !== axes.length || sizes.some((s) => s < 0)) fail(`it needs one size for each of its ${axes.length} axes`);
    if (new Set(axes).size < axes.length) fail(`its axes [${attributes.axes}] name one twice`);
    const shape = [...x.shape];
    for (const [i, axis] of axes.entries()) shape[axis] = sizes[i]!;
    return [{ type: x.type, shape }];
  },
  range: ofAll(0),
  // cropping is dual to padding about the same center: both start at floor(difference / 2)
  gradient: ({ inputs: [x], attributes: { axes } }, [g]) => [
    centerCropPad(g, axes ? axes.map((a) => x.shape.at(a)!) : x.shape, axes),
  ],
});
