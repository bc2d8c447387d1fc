import type { Value } from "../graph/graph.js";
import { type Shape, sameShape } from "../tensor/tensor.js";
import { reshape } from "./layout/reshape.js";
import { reduceSum } from "./reduction/reduce-sum.js";

/** Undoes broadcasting: sums `g` over the axes along which a value of the given shape was repeated. The dual of Expand. */
export function sumTo(g: Value, shape: Shape): Value {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.shape.length - shape.length;
  const axes = g.shape.flatMap((d, axis) => (axis < lead || (shape[axis - lead] === 1 && d !== 1) ? [axis] : []));
  const summed = axes.length > 0 ? reduceSum(g, axes, "keep") : g;
  return sameShape(summed.shape, shape) ? summed : reshape(summed, shape);
}
