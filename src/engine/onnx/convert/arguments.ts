import { type DataType, isFloat, tensor } from "../../tensor/tensor.js";
import type { OnnxNode } from "../model.js";
import { type Conversion, floatOf, int, intOf, intsOf, newest, type Rewrite, without } from "./conversion.js";

/** Attributes that became inputs, so that they can be computed. */

function axesToInput(node: OnnxNode, to: Rewrite) {
  const axes = intsOf(node, "axes");
  const attributes = without(node.attributes, "axes");
  // No axes, or none listed, meant all axes, and does as an absent input.
  const inputs = axes === undefined || axes.length === 0 ? node.inputs.slice(0, 1) : [node.inputs[0]!, to.int64(axes, "axes")];
  reduceBool({ ...node, inputs, attributes }, to);
}

/** ReduceMax and ReduceMin of booleans (opset 20) are those of 0 and 1. */
function reduceBool(node: OnnxNode, to: Rewrite) {
  if (!/^Reduce(Max|Min)$/.test(node.op) || to.scope.type(node.inputs[0]!) !== "bool") return to.keep(node);
  const int32 = 6;
  const bool = 9;
  const numbers = to.add("Cast", [node.inputs[0]!], { to: int(int32) });
  to.finish("Cast", [to.add(node.op, [numbers, ...node.inputs.slice(1)], node.attributes)], { to: int(bool) });
}

const reductions = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare"].map((kind) => `Reduce${kind}`);

function sliceToInputs(node: OnnxNode, to: Rewrite) {
  const starts = intsOf(node, "starts");
  const ends = intsOf(node, "ends");
  if (starts === undefined || ends === undefined) to.refuse("has no starts or ends");
  const axes = intsOf(node, "axes");
  const inputs = [node.inputs[0]!, to.int64(starts, "starts"), to.int64(ends, "ends"), ...(axes ? [to.int64(axes, "axes")] : [])];
  to.keep({ ...node, inputs, attributes: {} });
}

function padToInputs(node: OnnxNode, to: Rewrite) {
  const pads = intsOf(node, "pads");
  if (pads === undefined) to.refuse("has no pads");
  const value = floatOf(node, "value", 0);
  const inputs = [node.inputs[0]!, to.int64(pads, "pads"), ...(value === 0 ? [] : [to.like(node.inputs[0]!, value)])];
  to.keep({ ...node, inputs, attributes: without(node.attributes, "pads", "value") });
}

/** The old defaults were the largest finite float32; a bound as large as that bounds nothing. */
function clipToInputs(node: OnnxNode, to: Rewrite) {
  const largest = 3.4028234e38;
  const min = floatOf(node, "min", -largest);
  const max = floatOf(node, "max", largest);
  const x = node.inputs[0]!;
  const inputs = [x, min > -largest ? to.like(x, min) : "", max < largest ? to.like(x, max) : ""];
  while (inputs.at(-1) === "") inputs.pop();
  to.keep({ ...node, inputs, attributes: {} });
}

function split(node: OnnxNode, to: Rewrite) {
  const sizes = intsOf(node, "split");
  const attributes = without(node.attributes, "split");
  if (sizes !== undefined && sizes.length > 0)
    to.keep({ ...node, inputs: [node.inputs[0]!, to.int64(sizes, "split")], attributes });
  else if (node.inputs[1]) to.keep(node);
  // Opset 18 has equal parts said by their number, where the number of outputs said it before.
  else
    to.keep({ ...node, inputs: node.inputs.slice(0, 1), attributes: { ...attributes, num_outputs: int(node.outputs.length) } });
}

function dft(node: OnnxNode, to: Rewrite) {
  const axisName = node.inputs[2];
  const value = axisName ? to.scope.valueOf(axisName) : tensor("int64", [], [-2n]);
  if (value === undefined) to.refuse("computes its axis, which opset 18 wants fixed");
  let axis = Number(value.data[0]);
  const rank = to.scope.rank(node.inputs[0]!);
  if (axis < 0 && rank !== undefined) axis += rank;
  const inputs = node.inputs.slice(0, 2);
  while (inputs.at(-1) === "") inputs.pop();
  to.keep({ ...node, inputs, attributes: { ...node.attributes, axis: int(axis) } });
}

function dropout(node: OnnxNode, to: Rewrite) {
  const type: DataType = to.scope.type(node.inputs[0]!) ?? "float32";
  const ratio = to.constant(tensor(isFloat(type) ? type : "float32", [], [floatOf(node, "ratio", 0.5)]), "ratio");
  const mask = node.outputs[1];
  if (mask && to.scope.isRead(mask))
    to.refuse(`hands out its mask "${mask}", which inference leaves open; export the model in eval mode`);
  to.finish("Dropout", [node.inputs[0]!, ratio]);
}

export const argumentForms: readonly Conversion[] = [
  ...["Squeeze", "Unsqueeze", "ReduceSum"].map((op) => ({ op, from: 7, to: 12, convert: axesToInput })),
  ...reductions.map((op) => ({ op, from: 7, to: 17, convert: axesToInput })),
  ...["ReduceMax", "ReduceMin"].map((op) => ({ op, from: 20, to: newest, convert: reduceBool })),
  { op: "Slice", from: 7, to: 9, convert: sliceToInputs },
  { op: "Pad", from: 7, to: 10, convert: padToInputs },
  { op: "Clip", from: 7, to: 10, convert: clipToInputs },
  { op: "Split", from: 7, to: 17, convert: split },
  { op: "Dropout", from: 7, to: 11, convert: dropout },
  {
    op: "TopK",
    from: 7,
    to: 9,
    convert: (node, to) =>
      to.keep({
        ...node,
        inputs: [node.inputs[0]!, to.int64([intOf(node, "k", 1)], "k")],
        attributes: without(node.attributes, "k"),
      }),
  },
  { op: "DFT", from: 20, to: newest, convert: dft },
];
