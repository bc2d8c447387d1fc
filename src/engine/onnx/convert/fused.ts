import type { OnnxNode } from "../model.js";
import { type Conversion, float, floatOf, int, intOf, ints, microsoft, type Rewrite, textOf, without } from "./conversion.js";

/** What ONNX Runtime's optimiser fuses, taken apart again. */

function activate(x: string, node: OnnxNode, to: Rewrite) {
  const kind = textOf(node, "activation", "");
  const params = node.attributes.activation_params;
  const [first, second] = params?.kind === "floats" ? params.value : [];
  switch (kind) {
    case "":
      return to.finish("Identity", [x]);
    case "Relu":
    case "Sigmoid":
    case "Tanh":
    case "HardSwish":
      return to.finish(kind, [x]);
    case "LeakyRelu":
      return to.finish(kind, [x], { alpha: float(first ?? 0.01) });
    case "HardSigmoid":
      return to.finish(kind, [x], { alpha: float(first ?? 0.2), beta: float(second ?? 0.5) });
    case "Clip":
      if (first === undefined || second === undefined) return to.refuse("clips without bounds");
      return to.finish(kind, [x, to.like(x, first), to.like(x, second)]);
    default:
      return to.refuse(`ends in the activation "${kind}", which Faultline does not know there`);
  }
}

function fusedConv(node: OnnxNode, to: Rewrite) {
  const [x, w, b, z] = node.inputs as [string, string, string?, string?];
  const conv = to.add("Conv", b ? [x, w, b] : [x, w], without(node.attributes, "activation", "activation_params"));
  activate(z ? to.add("Add", [conv, z]) : conv, node, to);
}

function fusedGemm(node: OnnxNode, to: Rewrite) {
  const attributes = Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !name.startsWith("activation")));
  const alpha = floatOf(node, "activation_alpha", Number.NaN);
  const beta = floatOf(node, "activation_beta", Number.NaN);
  const params = [alpha, beta].filter((value) => !Number.isNaN(value));
  const gemm = to.add("Gemm", node.inputs, attributes);
  activate(gemm, { ...node, attributes: { ...node.attributes, activation_params: { kind: "floats", value: params } } }, to);
}

/** alpha op(A) op(B), where op swaps the last two axes. */
function fusedMatMul(node: OnnxNode, to: Rewrite) {
  if (intOf(node, "transBatchA", 0) !== 0 || intOf(node, "transBatchB", 0) !== 0)
    to.refuse("transposes batch axes, which is not taken apart");
  const operand = (i: number, name: string) => {
    const x = node.inputs[i]!;
    if (intOf(node, name, 0) === 0) return x;
    const rank = to.scope.rank(x);
    if (rank === undefined) to.refuse(`transposes "${x}", whose rank the file does not tell`);
    if (rank < 2) return x;
    const order = Array.from({ length: rank }, (_, axis) => axis);
    return to.add("Transpose", [x], { perm: ints([...order.slice(0, -2), rank - 1, rank - 2]) });
  };
  const a = operand(0, "transA");
  const b = operand(1, "transB");
  const alpha = floatOf(node, "alpha", 1);
  if (alpha === 1) return to.finish("MatMul", [a, b]);
  const product = to.add("MatMul", [a, b]);
  to.finish("Mul", [product, to.like(node.inputs[0]!, alpha)]);
}

/** LayerNormalization(input + skip + bias); the fourth output is that sum. */
function skipLayerNormalization(node: OnnxNode, to: Rewrite) {
  const simplified = node.op === "SkipSimplifiedLayerNormalization";
  const [x, skip, gamma] = node.inputs as [string, string, string];
  const beta = simplified ? "" : (node.inputs[3] ?? "");
  const bias = node.inputs[simplified ? 3 : 4] ?? "";
  let sum = to.add("Add", [x, skip]);
  if (bias !== "") sum = to.add("Add", [sum, bias]);
  if (node.outputs[3]) to.add("Identity", [sum], {}, [node.outputs[3]]);
  if (!simplified) {
    const epsilon = float(floatOf(node, "epsilon", 1e-12));
    to.add(
      "LayerNormalization",
      beta ? [sum, gamma, beta] : [sum, gamma],
      { axis: int(-1), epsilon },
      trimmed(node.outputs.slice(0, 3)),
    );
    return;
  }
  // x / sqrt(mean(x^2) + epsilon) * gamma
  const mean = to.add("ReduceMean", [to.add("Mul", [sum, sum]), to.int64([-1], "axes")], { keepdims: int(1) });
  const root = to.add("Sqrt", [to.add("Add", [mean, to.like(x, floatOf(node, "epsilon", 1e-12))])]);
  to.finish("Mul", [to.add("Div", [sum, root]), gamma]);
}

function trimmed(names: readonly string[]): readonly string[] {
  let length = names.length;
  while (length > 1 && names[length - 1] === "") length--;
  return names.slice(0, length);
}

export const fused: readonly Conversion[] = [
  { op: "FusedConv", ...microsoft, inputs: 2, convert: fusedConv },
  { op: "FusedGemm", ...microsoft, inputs: 2, convert: fusedGemm },
  { op: "FusedMatMul", ...microsoft, inputs: 2, convert: fusedMatMul },
  { op: "TransposeMatMul", ...microsoft, inputs: 2, convert: fusedMatMul },
  { op: "SkipLayerNormalization", ...microsoft, inputs: 3, convert: skipLayerNormalization },
  { op: "SkipSimplifiedLayerNormalization", ...microsoft, inputs: 3, convert: skipLayerNormalization },
];
