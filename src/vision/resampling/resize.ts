import type { Node, Value } from "../../engine/graph/graph.js";
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
  find: (node) => resized(node, (before, after) => ratioOf(node, before, after)),
  transposed: (node, sides) => {
    const { factor, after } = enlargingResize.find(node)!;
    const x = node.inputs[0]!;
    if (sides === "any" && alignsCorners(node)) return dependsOnSize;
    if (!factor.every(Number.isInteger)) return new Left(`it enlarges by ${said(factor)}, which are no whole factors`);
    if (x.shape[2] === 1 && x.shape[3] === 1)
      return new Left("it repeats a single pixel, around which a large kernel sees nothing");
    const stencils = stencilsOf(node, factor);
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
  find: (node) => resized(node, (before, after) => ratioOf(node, after, before)),
  undecimated: (node, sides) => {
    const { factor, after } = shrinkingResize.find(node)!;
    if (sides === "any" && alignsCorners(node)) return dependsOnSize;
    if (!factor.every(Number.isInteger)) return new Left(`it shrinks by ${said(factor)}, which are no whole factors`);
    const x = node.inputs[0]!;
    const stencils = stencilsOf(node, factor);
    if (!stencils) return unlike(node);
    const [rows, columns] = stencils;
    const channels = x.shape[1]!;
    const weight = x.graph.constant(separable(channels, stencils, x.type as FloatType));
    const size = factor.map((f, axis) => f * after.shape[axis + 2]!) as [number, number];
    // Where corners are aligned, the last sample is the last row, and there are none of those behind it.
    const behind = size.map((n, axis) => Math.max(0, n - x.shape[axis + 2]!));
    const y = conv(bordered(x, stencils, behind), weight, { group: channels });
    // The result at i reads from i - begin, which stands at i - begin + margin.
    return part(y, [rows.margin - rows.begin, columns.margin - columns.begin], sides === "these" ? size : sidesOf(x));
  },
};

/**
 * Pixels of the fine side for each of the coarse one: s where n are to s n. Where corners are aligned n to s (n - 1) + 1 is the same weights everywhere, and
 * every other pair of sides is not.
 */
function ratioOf(node: Node, coarse: number, fine: number): number {
  const steps = (fine - 1) / (coarse - 1);
  return alignsCorners(node) && Number.isInteger(steps) ? steps : fine / coarse;
}

const alignsCorners = (node: Node): boolean => contextOf(node).attributes.coordinate_transformation_mode === "align_corners";

const dependsOnSize = new Left(
  "it aligns corners, which is the same weights everywhere for some sizes alone (n to s (n - 1) + 1); --sides fixed tries the one at hand",
);

const sidesOf = (x: Value): [number, number] => x.shape.slice(2) as [number, number];

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

function stencilsOf(node: Node, factor: readonly [number, number]): readonly [Stencil, Stencil] | undefined {
  const context = contextOf(node);
  const [, , ...sides] = resizedAxes(context);
  const [rows, columns] = sides.map((axis, at) => stencilOf(axis, factor[at]!, interpolation(context.attributes)));
  return rows && columns && [rows, columns];
}

function unlike(node: Node): Left {
  const { mode, coordinate_transformation_mode: coordinates } = contextOf(node).attributes;
  const exact = coordinates === "align_corners" ? " (only from n to s (n - 1) + 1 pixels it has not)" : "";
  return new Left(`interpolation ${mode} with coordinates ${coordinates} has other weights at every place${exact}`);
}

const said = (factor: readonly number[]): string => factor.map((f) => Number(f.toPrecision(3))).join(" and ");
