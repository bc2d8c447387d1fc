import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { tensor } from "../../tensor/tensor.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { reshape } from "../layout/reshape.js";

/** Determinants of square matrices, the last two axes. */
export const det = (x: Value): Value => emit(Det, [x]);

export const Det = defineOperator({
  name: "Det",
  inputs: ["X"],
  infer: ({ inputs: [x], fail }) => {
    const [rows, columns] = x.shape.slice(-2);
    if (x.shape.length < 2 || rows !== columns) fail("its input must hold square matrices");
    return [{ type: x.type, shape: x.shape.slice(0, -2) }];
  },
  range: finite,
  // Jacobi's formula: d det(X) = Σ cofactorᵢⱼ dXᵢⱼ; also right where X is singular
  gradient: ({ inputs: [x] }, [g]) => [mul(reshape(g, [...g.shape, 1, 1]), cofactors(x))],
});

/** `(-1)^(i+j)` times the determinant of X without row i and column j; the n² minors are cut out at once. Meant for small matrices. */
function cofactors(x: Value): Value {
  const n = x.shape.at(-1)!;
  const batch = x.shape.slice(0, -2);
  const without = (i: number) => Array.from({ length: n }, (_, k) => k).filter((k) => k !== i);
  const entries = Array.from({ length: n * n }, (_, k) => [Math.floor(k / n), k % n] as const);
  const signs = x.graph.constant(
    tensor(
      x.type,
      [n, n],
      entries.map(([i, j]) => ((i + j) % 2 === 0 ? 1 : -1)),
    ),
  );
  if (n === 1) return reshape(signs, [...batch.map(() => 1), 1, 1]);
  const minors = entries.flatMap(([i, j]) => without(i).flatMap((row) => without(j).map((column) => row * n + column)));
  const indices = x.graph.constant(tensor("int64", [n, n, n - 1, n - 1], minors));
  return mul(det(gather(reshape(x, [...batch, n * n]), indices, batch.length)), signs);
}
