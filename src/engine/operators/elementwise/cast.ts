import type { Value } from "../../graph/graph.js";
import { defineOperator, int, required } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { moved } from "../../graph/whole-numbers.js";
import { isBfloat16 } from "../../onnx/bfloat16.js";
import { elementTypes } from "../../onnx/schema.js";
import { dataTypeOf, elementTypeName } from "../../onnx/tensor-data.js";
import type { DataType } from "../../tensor/tensor.js";
import { emit, idleWhereSame } from "../emit.js";

/** The same numbers in another element type; returns `x` where it has that type. Floating-point numbers are cut towards zero. */
export const cast = (x: Value, type: DataType): Value =>
  x.type === type ? x : emit(Cast, [x], { to: elementTypes.indexOf(type) });

/** The float32 numbers that bfloat16 has, the nearest to each element of `x`; halves go to the even one. Its gradient is that of a cast. */
export const roundedToBfloat16 = (x: Value): Value => emit(Cast, [x], { to: elementTypes.indexOf("bfloat16") });

export const Cast = defineOperator({
  name: "Cast",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { to: required(int()) },
  flops: "none",
  infer: ({ inputs: [x], attributes: { to }, fail }) => [
    { type: dataTypeOf(to) ?? fail(`it casts to ${elementTypeName(to)}, which Faultline does not work on`), shape: x.shape },
  ],
  wholeNumbers: moved,
  range: ofFirst,
  simplify: (context) => (isBfloat16(context.attributes.to) ? undefined : idleWhereSame(context)),
  gradient: ({ inputs: [x] }, [g]) => castGradient(x, g),
});

/**
 * d cast(x) = dx between floating-point types, and between integers that stand for real numbers. A cast that cuts fractions off is piecewise
 * constant, and its result carries no cotangent.
 */
export const castGradient = (x: Value, g: Value): readonly [Value] => [cast(g, x.type)];
