import type { DataType, Tensor } from "../../tensor/tensor.js";
import type { OnnxNode } from "../model.js";
import { dataTypeOf } from "../tensor-data.js";

/**
 * Element types and ranks of a node's outputs, as far as they follow from those of its inputs. Conversions need them for typed
 * constants and for clean forms, and have another way where they are unknown; full shapes are the business of `specialize`.
 */
interface Known {
  type(name: string): DataType | undefined;
  rank(name: string): number | undefined;
  valueOf(name: string): Tensor | undefined;
}

const toBool = new Set("And Or Not Xor Equal Greater GreaterOrEqual Less LessOrEqual IsNaN IsInf".split(" "));
const toInt64 = new Set("Shape Size ArgMax ArgMin NonZero NonMaxSuppression".split(" "));
/** Operators whose first output has the type of another input than the first. */
const typedBy: Readonly<Record<string, number>> = { Where: 1, OneHot: 2, DequantizeLinear: 1, CastLike: 1 };
const untyped = new Set(
  (
    "If Loop Scan RandomNormal RandomUniform RandomNormalLike RandomUniformLike Multinomial Bernoulli EyeLike QLinearConv QLinearMatMul " +
    "MatMulInteger ConvInteger BlackmanWindow HammingWindow HannWindow MelWeightMatrix TfIdfVectorizer SequenceAt OptionalGetElement"
  ).split(" "),
);

export function inferTypes(node: OnnxNode, known: Known): (DataType | undefined)[] {
  if (node.domain !== "" || untyped.has(node.op)) return node.outputs.map(() => undefined);
  if (toBool.has(node.op)) return ["bool"];
  if (toInt64.has(node.op)) return ["int64"];
  const first = known.type(node.inputs[typedBy[node.op] ?? 0] ?? "");
  switch (node.op) {
    case "Cast": {
      const to = node.attributes.to;
      return [to?.kind === "int" ? dataTypeOf(to.value) : undefined];
    }
    case "ConstantOfShape": {
      const value = node.attributes.value;
      return [value?.kind === "tensor" ? value.value.type : "float32"];
    }
    case "QuantizeLinear":
      return [node.inputs[2] ? known.type(node.inputs[2]) : "uint8"];
    case "DynamicQuantizeLinear":
      return ["uint8", "float32", "uint8"];
    case "TopK":
    case "MaxPool":
      return [first, "int64"];
    case "Unique":
      return [first, "int64", "int64", "int64"];
    case "Dropout":
      return [first, "bool"];
    default:
      return node.outputs.map(() => first);
  }
}

const sameRank = new Set(
  (
    "Abs Neg Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Softmax LogSoftmax Hardmax Exp Log Sqrt " +
    "Reciprocal Floor Ceil Round Sign Erf Clip Cast CastLike Identity Dropout Not Conv ConvTranspose MaxPool AveragePool LpPool GlobalAveragePool " +
    "GlobalMaxPool BatchNormalization InstanceNormalization LayerNormalization LRN Transpose Concat Slice Pad Resize Split Tile " +
    "DepthToSpace SpaceToDepth QuantizeLinear DequantizeLinear GridSample CumSum Trilu"
  ).split(" "),
);
const broadcasting = new Set("Add Sub Mul Div Pow Max Min Sum Mean Mod Equal Greater Less And Or Xor Where".split(" "));

export function inferRanks(node: OnnxNode, known: Known): (number | undefined)[] {
  return node.outputs.map((_, i) => (node.domain === "" && (i === 0 || node.op === "Split") ? rankOf(node, known) : undefined));
}

function rankOf(node: OnnxNode, known: Known): number | undefined {
  const ranks = node.inputs.map((name) => known.rank(name));
  const first = ranks[0];
  if (sameRank.has(node.op)) return first;
  if (broadcasting.has(node.op)) return largest(ranks);
  if (node.op.startsWith("Reduce") || node.op === "ArgMax" || node.op === "ArgMin") return reducedRank(node, known);
  const axes = known.valueOf(node.inputs[1] ?? "");
  switch (node.op) {
    case "Gemm":
    case "Flatten":
      return 2;
    case "Shape":
      return 1;
    case "MatMul":
      return first === undefined || first < 2 || ranks[1] === undefined || ranks[1] < 2 ? undefined : largest(ranks);
    case "Reshape":
    case "ConstantOfShape":
      return known.valueOf(node.inputs.at(-1) ?? "")?.data.length;
    case "Unsqueeze":
      return first === undefined || axes === undefined ? undefined : first + axes.data.length;
    case "Squeeze":
      return first === undefined || axes === undefined ? undefined : first - axes.data.length;
    case "Gather":
      return first === undefined || ranks[1] === undefined ? undefined : first + ranks[1] - 1;
    default:
      return undefined;
  }
}

function reducedRank(node: OnnxNode, known: Known): number | undefined {
  const keep = node.attributes.keepdims;
  const rank = known.rank(node.inputs[0]!);
  if (keep?.kind !== "int" || keep.value !== 0) return rank;
  if (node.op.startsWith("Arg")) return rank === undefined ? undefined : rank - 1;
  if (!node.inputs[1]) return 0;
  const axes = known.valueOf(node.inputs[1]);
  return rank === undefined || axes === undefined || axes.data.length === 0 ? undefined : rank - axes.data.length;
}

function largest(ranks: readonly (number | undefined)[]): number | undefined {
  let most = 0;
  for (const rank of ranks) {
    if (rank === undefined) return undefined;
    most = Math.max(most, rank);
  }
  return most;
}
