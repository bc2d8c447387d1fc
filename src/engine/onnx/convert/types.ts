import type { OnnxNode } from "../model.js";
import { elementTypes } from "../schema.js";
import { dataTypeOf, elementTypeName } from "../tensor-data.js";
import { type Conversion, elementNumber, int, intOf, newest, type Rewrite, without } from "./conversion.js";

/** What newer opsets added to types, and types that Faultline widens. */

function cast(node: OnnxNode, to: Rewrite) {
  const target = intOf(node, "to", 0);
  const type = dataTypeOf(target);
  const name = elementTypeName(target);
  if (type === undefined || name === "int4" || name === "uint4") to.refuse(`casts to ${name}, which Faultline does not work on`);
  to.keep({ ...node, attributes: { ...without(node.attributes, "saturate"), to: int(elementNumber(type)) } });
}

/**
 * Types, blocks and float16 are the operators' own business (operators/quantization). Only that a zero point had 4 bits is known here alone, for
 * it was widened; `saturate` and `precision` speak of 8-bit floats and of rounding within float32.
 */
export function quantization(node: OnnxNode, to: Rewrite) {
  const attributes = without(node.attributes, "saturate", "precision");
  const narrow = node.op === "QuantizeLinear" && node.inputs[2] ? to.scope.valueOf(node.inputs[2])?.narrow : undefined;
  const type = narrow === undefined ? {} : { output_dtype: int(elementTypes.indexOf(narrow)) };
  to.keep({ ...node, domain: "", attributes: { ...attributes, ...type } });
}

export const types: readonly Conversion[] = [
  { op: "Cast", from: 7, to: newest, convert: cast },
  {
    op: "CastLike",
    from: 19,
    to: newest,
    convert: (node, to) => to.keep({ ...node, attributes: without(node.attributes, "saturate") }),
  },
  { op: "QuantizeLinear", from: 19, to: newest, inputs: 2, convert: quantization },
  { op: "DequantizeLinear", from: 19, to: newest, inputs: 2, convert: quantization },
  { op: "Scatter", from: 9, to: 10, convert: (node, to) => to.keep({ ...node, op: "ScatterElements" }) },
  {
    op: "Scan",
    from: 8,
    to: 8,
    inputs: 0,
    convert: (_, to) => to.refuse("scans a batch, which opset 9 and above do not; export the model again"),
  },
  ...["ImageDecoder", "RegexFullMatch", "StringConcat", "StringSplit"].map((op) => ({
    op,
    from: 20,
    to: newest,
    convert: (_: OnnxNode, to: Rewrite) => to.refuse("has no form in opset 18; export the model with opset 18"),
  })),
];
