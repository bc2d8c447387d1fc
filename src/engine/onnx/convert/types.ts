import { allocate, type Tensor } from "../../tensor/tensor.js";
import type { OnnxNode } from "../model.js";
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

/** Opset 13 to 18 take 8-bit integers, and float32 scales. */
function quantize(node: OnnxNode, to: Rewrite) {
  if (intOf(node, "block_size", 0) !== 0) to.refuse("scales by blocks, which opset 18 does not have");
  const attributes = without(node.attributes, "saturate", "block_size", "output_dtype", "precision");
  const [x, scale, zero] = node.inputs as [string, string, string | undefined];
  const zeroType = to.scope.type(node.op === "QuantizeLinear" ? (zero ?? "") : x);
  if (zeroType === "int16" || zeroType === "uint16") to.refuse(`works on ${zeroType}, and opset 18 quantises to 8 bits`);
  const point = zero || zeroPointFor(node, scale, to);
  const inputs = (values: string, scales: string) => (point === undefined ? [values, scales] : [values, scales, point]);
  if (to.scope.type(scale) !== "float16") return to.keep({ ...node, inputs: inputs(x, scale), attributes });
  const float32 = (name: string) => to.add("Cast", [name], { to: int(elementNumber("float32")) });
  if (node.op === "QuantizeLinear") return to.keep({ ...node, inputs: inputs(float32(x), float32(scale)), attributes });
  to.finish("Cast", [to.add(node.op, inputs(x, float32(scale)), attributes)], { to: int(elementNumber("float16")) });
}

/** `output_dtype` of opset 21 says the type that a zero point says before. */
function zeroPointFor(node: OnnxNode, scale: string, to: Rewrite): string | undefined {
  const type = dataTypeOf(intOf(node, "output_dtype", elementNumber("uint8")));
  if (node.op !== "QuantizeLinear" || type === "uint8") return undefined;
  const scales = to.scope.valueOf(scale);
  if (type !== "int8" || scales === undefined)
    to.refuse(`quantises to ${type ?? "another type"}, which opset 18 does only for 8 bits`);
  const zeros: Tensor = { type, shape: scales.shape, data: allocate(type, scales.data.length) };
  return to.constant(zeros, "zero_point");
}

export const types: readonly Conversion[] = [
  { op: "Cast", from: 7, to: newest, convert: cast },
  {
    op: "CastLike",
    from: 19,
    to: newest,
    convert: (node, to) => to.keep({ ...node, attributes: without(node.attributes, "saturate") }),
  },
  { op: "QuantizeLinear", from: 19, to: newest, inputs: 2, convert: quantize },
  { op: "DequantizeLinear", from: 19, to: newest, inputs: 2, convert: quantize },
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
