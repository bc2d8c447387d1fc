import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { sizeOf } from "../../tensor/tensor.js";
import { broadcastShapes, emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { transpose } from "../layout/transpose.js";
import { sumTo } from "../sum-to.js";
import { zerosLike } from "../zeros.js";

/** Matrix product of the last two axes, NumPy's rules: leading axes broadcast, a vector is a row on the left and a column on the right. */
export const matMul = (a: Value, b: Value): Value => emit(MatMul, [a, b]);

export const MatMul = defineOperator({
  name: "MatMul",
  inputs: ["A", "B"],
  flops: ({ inputs: [a], outputs: [y] }) => 2 * sizeOf(y!.shape) * a.shape.at(-1)!,
  infer: ({ inputs: [a, b], fail }) => {
    if (a.type !== b.type) fail("A and B must have one element type");
    return [{ type: a.type, shape: matMulShape(a, b, fail) }];
  },
  // A sum over nothing is 0. ONNX Runtime 1.30 leaves in a float64 product with a vector what was in memory.
  decompose: ({ inputs: [a, b], fail }) =>
    a.type === "float64" && b.type === a.type && a.shape.at(-1) === 0 ? [zerosLike(a, matMulShape(a, b, fail))] : undefined,
  range: finite,
  gradient: ({ inputs: [a, b], wanted }, [g]) => matMulGradient(a, b, g, wanted),
});

/** The shape of a product of matrices, batches of matrices or vectors. */
export function matMulShape(a: Value, b: Value, fail: (message: string) => never): number[] {
  if (a.shape.length === 0 || b.shape.length === 0) fail("A and B must have at least one axis");
  const [m, n] = [asRows(a), asColumns(b)];
  if (m.at(-1) !== n.at(-2)) fail("the columns of A must match the rows of B");
  const batch = broadcastShapes([m.slice(0, -2), n.slice(0, -2)], fail);
  return [...batch, ...(a.shape.length > 1 ? [m.at(-2)!] : []), ...(b.shape.length > 1 ? [n.at(-1)!] : [])];
}

/**
 * dA = G Bᵀ, dB = Aᵀ G. Vectors are made matrices first: ONNX Runtime 1.30 computes MatMul(Transpose(A), v) with a vector v wrongly.
 * Where one matrix B serves a batch, the batch is laid out as rows and dB is one product instead of a sum of many.
 */
export function matMulGradient(a: Value, b: Value, g: Value, wanted: readonly boolean[]): readonly (Value | undefined)[] {
  const A = reshape(a, asRows(a));
  const B = reshape(b, asColumns(b));
  const batch = g.shape.slice(0, g.shape.length - (a.shape.length > 1 ? 1 : 0) - (b.shape.length > 1 ? 1 : 0));
  const [rows, inner, columns] = [A.shape.at(-2)!, A.shape.at(-1)!, B.shape.at(-1)!];
  const G = reshape(g, [...batch, rows, columns]);
  const shared = B.shape.length === 2 && sizeOf(G.shape) > 0;
  const all = sizeOf([...batch, rows]);
  const rightGradient = () =>
    shared ? matMul(transpose(reshape(A, [all, inner])), reshape(G, [all, columns])) : sumTo(matMul(swap(A), G), B.shape);
  return [
    wanted[0] ? reshape(sumTo(matMul(G, swap(B)), A.shape), a.shape) : undefined,
    wanted[1] ? reshape(rightGradient(), b.shape) : undefined,
  ];
}

const asRows = (a: Value): readonly number[] => (a.shape.length === 1 ? [1, ...a.shape] : a.shape);
const asColumns = (b: Value): readonly number[] => (b.shape.length === 1 ? [...b.shape, 1] : b.shape);

export function swap(x: Value): Value {
  const rank = x.shape.length;
  return transpose(x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
}
