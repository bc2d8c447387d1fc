import type { Node, Value } from "../graph/graph.js";
import type { GradientContext } from "../graph/operator.js";
import { cast } from "../operators/elementwise/cast.js";
import { type DataType, gradientType, isFloat, sizeOf, tensor, toNumbers } from "../tensor/tensor.js";

type Operands = Pick<GradientContext, "inputs" | "outputs">;

/** The node's inputs and outputs as its gradient rule sees them: in the types in which gradients are computed. */
export function operandsOf(node: Node, cotangents: readonly (Value | undefined)[], wanted: readonly boolean[]): Operands {
  return realOperands(widenedOperands(node), cotangents, wanted);
}

/**
 * Where float16 is about, the rule sees the node computed again in float32 from the same float16 operands: its outputs then have all their
 * digits (the statistics of a normalization, the maximum that elements are compared with), whatever the runtime rounds or does not round.
 * What the rule does not use is not computed.
 */
function widenedOperands(node: Node): Operands {
  const isNarrow = (v: Value | undefined) => v !== undefined && gradientType(v.type) !== v.type;
  if (![...node.inputs, ...node.outputs].some(isNarrow)) return node;
  const inputs = node.inputs.map((v) => v && widened(v));
  const repeatable = node.inputs.some(isNarrow) && !node.operator.random;
  const outputs = repeatable
    ? node.outputs[0]!.graph.add(node.operator, inputs, node.attributes, { outputCount: node.outputs.length })
    : node.outputs;
  return { inputs, outputs: outputs.map(widened) };
}

/** The value in the type in which gradients are computed. Small constants stay constants, for rules to read. */
function widened(v: Value): Value {
  const type = gradientType(v.type);
  if (type === v.type) return v;
  return v.constant && sizeOf(v.shape) <= 64 ? v.graph.constant(tensor(type, v.shape, toNumbers(v.constant))) : cast(v, type);
}

/**
 * Where an input is an integer that stands for a real number, whatever has its type is such a number too (a padding value, a bound, the other
 * branch of a Where), and is cast to the type of the cotangents: so one rule serves floating-point and quantized numbers. Of int64 only what
 * carries a cotangent, for indices and sizes have that type as well.
 */
function realOperands(
  { inputs, outputs }: Operands,
  cotangents: readonly (Value | undefined)[],
  wanted: readonly boolean[],
): Operands {
  const quantized = new Set<DataType>(inputs.flatMap((v, i) => (wanted[i] && !isFloat(v!.type) ? [v!.type] : [])));
  if (quantized.size === 0) return { inputs, outputs };
  const { type } = cotangents.find((g) => g !== undefined)!;
  const real = (v: Value | undefined, carries: boolean) =>
    v && quantized.has(v.type) && (carries || v.type !== "int64") ? cast(v, type) : v;
  return {
    inputs: inputs.map((v, i) => real(v, wanted[i]!)),
    outputs: outputs.map((v, i) => real(v, cotangents[i] !== undefined)!),
  };
}
