import { tensor } from "../../tensor/tensor.js";
import type { OnnxNode } from "../model.js";
import { type Conversion, float, floatOf, int, intOf, newest, type Rewrite, without } from "./conversion.js";

/** Up to opset 13 the further outputs were those of training, which inference leaves unspecified. */
function batchNormalization(node: OnnxNode, to: Rewrite) {
  const extra = node.outputs.slice(1).find((name) => to.scope.isRead(name));
  if (extra !== undefined)
    to.refuse(`makes the training statistic "${extra}", which inference does not; export the model in eval mode`);
  if (intOf(node, "spatial", 1) === 0) return perElement(node, to);
  to.keep({ ...node, outputs: node.outputs.slice(0, 1), attributes: without(node.attributes, "spatial") });
}

/** `spatial = 0`: statistics for each element. y = scale (x - mean) / sqrt(var + epsilon) + bias. */
function perElement(node: OnnxNode, to: Rewrite) {
  const [x, scale, bias, mean, variance] = node.inputs as [string, string, string, string, string];
  const deviation = to.add("Sqrt", [to.add("Add", [variance, to.like(variance, floatOf(node, "epsilon", 1e-5))])]);
  const normal = to.add("Div", [to.add("Sub", [x, mean]), deviation]);
  to.finish("Add", [to.add("Mul", [normal, scale]), bias]);
}

/**
 * Instance normalisation of the groups as channels, then the affine map: of each group in opset 18, of each channel in 21. ONNX Runtime
 * has no kernel for the form of opset 18.
 */
function groupNormalization(node: OnnxNode, to: Rewrite) {
  const [x, scale, bias] = node.inputs as [string, string, string];
  const groups = intOf(node, "num_groups", 1);
  const epsilon = float(floatOf(node, "epsilon", 1e-5));
  if (!(groups >= 1 && groups <= (to.scope.valueOf(scale)?.data.length ?? 65536))) to.refuse(`has ${groups} groups`);
  const grouped = to.add("Reshape", [x, to.int64([0, groups, -1], "groups")]);
  const shape = to.add("Shape", [x]);
  if (to.opset < 21) return to.finish("Reshape", [to.add("InstanceNormalization", [grouped, scale, bias], { epsilon }), shape]);
  const type = to.scope.type(scale) ?? to.scope.type(x) ?? "float32";
  const ones = to.constant(tensor(type, [groups], new Array(groups).fill(1)), "ones");
  const zeros = to.constant(tensor(type, [groups]), "zeros");
  const normal = to.add("InstanceNormalization", [grouped, ones, zeros], { epsilon });
  const [from, until] = [to.int64([0], "from"), to.int64([2], "until")];
  const channelsAndRest = to.add("Concat", [to.add("Slice", [shape, from, until]), to.int64([-1], "rest")], { axis: int(0) });
  const channels = to.add("Reshape", [normal, channelsAndRest]);
  const column = to.int64([-1, 1], "column");
  const scaled = to.add("Mul", [channels, to.add("Reshape", [scale, column])]);
  to.finish("Reshape", [to.add("Add", [scaled, to.add("Reshape", [bias, column])]), shape]);
}

export const normalization: readonly Conversion[] = [
  { op: "BatchNormalization", from: 7, to: 13, inputs: 5, convert: batchNormalization },
  { op: "GroupNormalization", from: 18, to: newest, inputs: 3, convert: groupNormalization },
  {
    // An operator that ONNX Runtime's optimiser puts into the default set. y = x / sqrt(mean(x^2) + epsilon) * scale.
    op: "SimplifiedLayerNormalization",
    from: 7,
    to: newest,
    inputs: 2,
    convert: (node, to) => {
      const [x, scale] = node.inputs as [string, string];
      const axis = intOf(node, "axis", -1);
      const rank = to.scope.rank(x);
      if (axis !== -1 && rank === undefined) to.refuse("normalises more than the last axis of a value of unknown rank");
      const start = axis < 0 ? axis + (rank ?? 0) : axis;
      if (axis !== -1 && !(start >= 0 && start < rank!)) to.refuse(`normalises from axis ${axis} of a value of rank ${rank}`);
      const axes = axis === -1 ? [-1] : Array.from({ length: rank! - start }, (_, i) => start + i);
      const square = to.add("Mul", [x, x]);
      const mean = to.add("ReduceMean", [square, to.int64(axes, "axes")], { keepdims: int(1) });
      const root = to.add("Sqrt", [to.add("Add", [mean, to.like(x, floatOf(node, "epsilon", 1e-5))])]);
      to.finish("Mul", [to.add("Div", [x, root]), scale]);
    },
  },
];
