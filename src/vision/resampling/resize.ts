import type { Node } from "../../engine/graph/graph.js";
import { pad, slice } from "../../engine/operators/index.js";
import { Resize, type ResizeContext, resizedAxes } from "../../engine/operators/resampling/resize.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { Left, type Transposed, type UpForm } from "./form.js";
import { accepted } from "./window.js";

/** Interpolation to twice the size, bilinear or by repetition, of any other factor as well (those are found, and left). */
export const enlargingResize: UpForm = {
  name: "interpolation",
  direction: "up",
  find: (node) => {
    const [before] = node.inputs;
    if (node.operator !== Resize || before?.shape.length !== 4) return undefined;
    const after = node.outputs[0]!;
    const factor = [2, 3].map((axis) => after.shape[axis]! / before.shape[axis]!) as [number, number];
    if (!factor.every((f) => Number.isInteger(f) && f >= 1) || factor.every((f) => f === 1)) return undefined;
    return { factor, before, after };
  },
  transposed: (node) => {
    const [x] = node.inputs;
    const { factor, after } = enlargingResize.find(node)!;
    if (factor[0] !== 2 || factor[1] !== 2) return new Left(`it enlarges by ${factor.join(" and ")}, and a large kernel doubles`);
    const { attributes } = contextOf(node);
    const channels = x!.shape[1]!;
    if (attributes.mode === "nearest" && repeatsEach(node))
      return { x: x!, weight: kernel(channels, [1, 1]), groups: channels, pad: 0, finish: (y) => y };
    const half = attributes.coordinate_transformation_mode;
    if (attributes.mode === "linear" && (half === "half_pixel" || half === "pytorch_half_pixel")) {
      // The border repeats: one more row and column around, cut off again afterwards.
      const [, , height, width] = after.shape as [number, number, number, number];
      const wider = pad(x!, [0, 0, 1, 1, 0, 0, 1, 1], "edge");
      const finish: Transposed["finish"] = (y) => slice(y, [2, 2], [2 + height, 2 + width], { axes: [2, 3] });
      return { x: wider, weight: kernel(channels, [0.25, 0.75, 0.75, 0.25]), groups: channels, pad: 1, finish };
    }
    return new Left(`interpolation ${attributes.mode} with coordinates ${half} is no transposed convolution of one kernel`);
  },
};

const contextOf = ({ inputs, attributes }: Node): ResizeContext =>
  ({ inputs, attributes, fail: accepted }) as unknown as ResizeContext;

/** Whether output 2 i and 2 i + 1 are input i, as all but the unusual roundings have it. */
function repeatsEach(node: Node): boolean {
  const { attributes } = contextOf(node);
  const { coordinate_transformation_mode: coordinates, nearest_mode: rounding } = attributes;
  const axes = resizedAxes(contextOf(node)).slice(2);
  if (axes.some((a) => a.scale !== 2)) return false;
  return (
    (coordinates === "asymmetric" && rounding === "floor") || (coordinates.includes("half_pixel") && rounding.startsWith("round"))
  );
}

/** The same separable kernel for every channel, [C, 1, k, k]. */
function kernel(channels: number, taps: readonly number[]) {
  const plane = taps.flatMap((a) => taps.map((b) => a * b));
  const data = Float32Array.from({ length: channels * plane.length }, (_, i) => plane[i % plane.length]!);
  return tensor("float32", [channels, 1, taps.length, taps.length], data);
}
