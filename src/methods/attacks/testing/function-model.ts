import type { Value } from "../../../engine/graph/graph.js";
import { add, mul, relu, sub } from "../../../engine/operators/index.js";
import type { Shape } from "../../../engine/tensor/tensor.js";
import { tasks } from "../../../vision/tasks/index.js";
import type { AttackedModel } from "../attacked-model.js";

/** A classifier that is a function of its image: logits [B, K] from an image of the given shape. */
export const functionModel = (shape: Shape, logits: (image: Value) => Value): AttackedModel => ({
  predictor: { images: { image: shape }, predict: (_, { image }) => logits(image!) },
  task: tasks.classification,
});

/** The function that takes each knot to its value, linear between and beyond them. */
export function piecewiseLinear(x: Value, knots: readonly number[], values: readonly number[]): Value {
  const slope = (i: number) => (values[i + 1]! - values[i]!) / (knots[i + 1]! - knots[i]!);
  let y = add(mul(sub(x, knots[0]!), slope(0)), values[0]!);
  for (let i = 1; i < knots.length - 1; i++) y = add(y, mul(relu(sub(x, knots[i]!)), slope(i) - slope(i - 1)));
  return y;
}
