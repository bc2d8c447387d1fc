import type { Value } from "../../graph/graph.js";
import { defineOperator, int, required } from "../../graph/operator.js";
import { elementTypes } from "../../onnx/schema.js";
import { dataTypeOf, elementTypeName } from "../../onnx/tensor-data.js";
import { type DataType, isFloat } from "../../tensor/tensor.js";
import { emit } from "../emit.js";

/** The same numbers in another element type; returns `x` where it has that type. Floating-point numbers are cut towards zero. */
export const cast = (x: Value, type: DataType): Value =>
  x.type === type ? x : emit(Cast, [x], { to: elementTypes.indexOf(type) });

export const Cast = defineOperator({
  name: "Cast",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { to: required(int()) },
  infer: ({ inputs: [x], attributes: { to }, fail }) => [
    { type: dataTypeOf(to) ?? fail(`it casts to ${elementTypeName(to)}, which Faultline does not work on`), shape: x.shape },
  ],
  gradient: ({ inputs: [x], outputs: [y] }, [g]) => castGradient(x, y, g),
});

/**
 * d cast(x) = dx between floating-point types and out of integers (which carry a cotangent after QuantizeLinear only); a cast to an integer
 * cuts fractions off and is piecewise constant.
 */
export function castGradient(x: Value, y: Value, g: Value): readonly [Value | undefined] {
  if (!isFloat(x.type)) return [g];
  return [isFloat(y.type) ? cast(g, x.type) : undefined];
}
