import type { Value } from "../../graph/graph.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { reshape } from "../layout/reshape.js";
import { matMul } from "../linear/mat-mul.js";
import { zerosLike } from "../zeros.js";

/**
 * Multiplies one axis of `x` by a constant matrix: `y[.., r, ..] = Σ_c M[r, c] · x[.., c, ..]`.
 *
 * @param matrix M row-major, or for "transposed" Mᵀ row-major; as many columns as the axis has elements
 */
export function multiplyAlong(x: Value, axis: number, matrix: Float64Array, orientation: "as it is" | "transposed"): Value {
  const columns = x.shape[axis]!;
  const rows = columns === 0 ? 0 : matrix.length / columns;
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  // ONNX Runtime's product fails where an operand has no elements
  if (sizeOf(x.shape) === 0) return zerosLike(x, [...before, rows, ...after]);
  const last = sizeOf(after) === 1;
  // A last axis is multiplied from the right, by Mᵀ.
  const wanted = last === (orientation === "transposed") ? matrix : transposed(matrix, last ? rows : columns);
  const constant = x.graph.constant(tensor(x.type, last ? [columns, rows] : [rows, columns], wanted));
  const product = last
    ? matMul(reshape(x, [sizeOf(before), columns]), constant)
    : matMul(constant, reshape(x, [sizeOf(before), columns, sizeOf(after)]));
  return reshape(product, [...before, rows, ...after]);
}

/** The transpose of a row-major matrix with the given number of rows. */
function transposed(matrix: Float64Array, rows: number): Float64Array {
  const columns = matrix.length / rows;
  return Float64Array.from(matrix, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!);
}
