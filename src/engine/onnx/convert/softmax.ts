import type { OnnxNode } from "../model.js";
import { type Conversion, int, intOf, type Rewrite } from "./conversion.js";

/** Before opset 13 these worked on the input flattened to two axes at `axis` (default 1); since then they work along one axis. */
function flattening(node: OnnxNode, to: Rewrite) {
  const x = node.inputs[0]!;
  const rank = to.scope.rank(x);
  let axis = intOf(node, "axis", 1);
  if (rank !== undefined && axis < 0) axis += rank;
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) return to.keep({ ...node, attributes: { axis: int(-1) } });
  const flat = to.add(node.op, [to.add("Flatten", [x], { axis: int(axis) })], { axis: int(-1) });
  to.finish("Reshape", [flat, to.add("Shape", [x])]);
}

export const softmax: readonly Conversion[] = ["Softmax", "LogSoftmax", "Hardmax"].map((op) => ({
  op,
  from: 7,
  to: 12,
  convert: flattening,
}));
