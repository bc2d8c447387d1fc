import type { Node } from "../../engine/graph/graph.js";
import { conv } from "../../engine/operators/index.js";
import { interpolation, Resize, type ResizeContext, resizedAxes } from "../../engine/operators/resampling/resize.js";
import type { FloatType } from "../../engine/tensor/tensor.js";
import { type DownForm, type Found, Left, type UpForm } from "./form.js";
import { bordered, part, type Stencil, separable, stencilOf } from "./stencil.js";
import { accepted } from "./window.js";

/** Interpolation to a larger size. */
export const enlargingResize: UpForm = {
  name: "interpolation",
  direction: "up",
  find: (node) => resized(node, (before, after) => after / before),
  transposed: (node) => {
    const { factor, after } = enlargingResize.find(node)!;
    const x = node.inputs[0]!;
    if (!factor.every(Number.isInteger)) return new Left(`it enlarges by ${said(factor)}, which are no whole factors`);
    if (x.shape[2] === 1 && x.shape[3] === 1)
      return new Left("it repeats a single pixel, around which a large kernel sees nothing");
    const stencils = stencilsOf(node);
    if (!stencils) return unlike(node);
    const [rows, columns] = stencils;
    const begin = [rows.margin * factor[0], columns.margin * factor[1]] as const;
    return {
      x: bordered(x, stencils),
      weight: separable(x.shape[1]!, stencils, x.type as FloatType),
      groups: x.shape[1]!,
      factor,
      pad: [rows.begin, columns.begin],
      finish: (y) => part(y, begin, after.shape.slice(2) as [number, number]),
    };
  },
};

/** Interpolation to a smaller size: without `antialias`, most of the map is not even looked at. */
export const shrinkingResize: DownForm = {
  name: "interpolation to a smaller size",
  direction: "down",
  find: (node) => resized(node, (before, after) => before / after),
  undecimated: (node) => {
    const { factor } = shrinkingResize.find(node)!;
    if (!factor.every(Number.isInteger)) return new Left(`it shrinks by ${said(factor)}, which are no whole factors`);
    const x = node.inputs[0]!;
    const stencils = stencilsOf(node);
    if (!stencils) return unlike(node);
    const [rows, columns] = stencils;
    const channels = x.shape[1]!;
    const weight = x.graph.constant(separable(channels, stencils, x.type as FloatType));
    const y = conv(bordered(x, stencils), weight, { group: channels });
    // The result at i reads from i - begin, which stands at i - begin + margin.
    return part(y, [rows.margin - rows.begin, columns.margin - columns.begin], x.shape.slice(2) as [number, number]);
  },
};

/** A resize of maps whose sides both change by factors of at least 1 as they are measured, not both by 1. */
function resized(node: Node, ratio: (before: number, after: number) => number): Found | undefined {
  const [before] = node.inputs;
  if (node.operator !== Resize || before?.shape.length !== 4) return undefined;
  const after = node.outputs[0]!;
  const factor = [2, 3].map((axis) => ratio(before.shape[axis]!, after.shape[axis]!)) as [number, number];
  return factor.every((f) => f >= 1) && factor.some((f) => f > 1) ? { factor, before, after } : undefined;
}

const contextOf = ({ inputs, attributes }: Node): ResizeContext =>
  ({ inputs, attributes, fail: accepted }) as unknown as ResizeContext;

function stencilsOf(node: Node): readonly [Stencil, Stencil] | undefined {
  const context = contextOf(node);
  const [, , ...sides] = resizedAxes(context);
  const [rows, columns] = sides.map((axis) => stencilOf(axis, interpolation(context.attributes)));
  return rows && columns && [rows, columns];
}

function unlike(node: Node): Left {
  const { mode, coordinate_transformation_mode: coordinates } = contextOf(node).attributes;
  return new Left(`interpolation ${mode} with coordinates ${coordinates} has other weights at every place`);
}

const said = (factor: readonly number[]): string => factor.map((f) => Number(f.toPrecision(3))).join(" and ");
