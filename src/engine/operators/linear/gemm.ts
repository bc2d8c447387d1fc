import type { Value } from "../../graph/graph.js";
import { defineOperator, flag, float } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { sameShape, sizeOf } from "../../tensor/tensor.js";
import { mul } from "../elementwise/mul.js";
import { broadcastShapes, emit, type Operand } from "../emit.js";
import { transpose } from "../layout/transpose.js";
import { sumTo } from "../sum-to.js";
import { matMul } from "./mat-mul.js";

export interface GemmOptions {
  readonly alpha?: number;
  readonly beta?: number;
  /** Operands that are transposed before the product. */
  readonly transposed?: "none" | "A" | "B" | "both";
}

/** `alpha A B + beta C` for matrices A and B; C broadcasts. */
export const gemm = (a: Value, b: Value, c?: Operand, { alpha = 1, beta = 1, transposed = "none" }: GemmOptions = {}): Value =>
  emit(Gemm, [a, b, c], {
    alpha,
    beta,
    transA: transposed === "A" || transposed === "both" ? 1 : 0,
    transB: transposed === "B" || transposed === "both" ? 1 : 0,
  });

export const Gemm = defineOperator({
  name: "Gemm",
  inputs: ["A", "B", "C?"],
  attributes: { alpha: float(1), beta: float(1), transA: flag(0), transB: flag(0) },
  flops: ({ inputs: [a], outputs: [y], attributes: { transA } }) => 2 * sizeOf(y!.shape) * a.shape[transA ? 0 : 1]!,
  infer: ({ inputs: [a, b, c], attributes: { transA, transB }, fail }) => {
    if (a.type !== b.type || (c && c.type !== a.type)) fail("A, B and C must have one element type");
    if (a.shape.length !== 2 || b.shape.length !== 2) fail("A and B must be matrices");
    const [rows, inner] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
    const [depth, columns] = transB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
    if (inner !== depth) fail("the columns of A must match the rows of B (after transA and transB)");
    const shape = [rows, columns];
    if (c && !sameShape(broadcastShapes([shape, c.shape], fail), shape)) fail(`C must broadcast to [${rows}, ${columns}]`);
    return [{ type: a.type, shape }];
  },
  range: finite,
  // Y = alpha A B + beta C: dA = alpha G Bᵀ, dB = alpha Aᵀ G, dC = beta G; a transposed operand takes the transposed gradient
  gradient: ({ inputs: [a, b, c], attributes: { alpha, beta, transA, transB }, wanted }, [g]) => {
    const scaled = (v: Value, factor: number) => (factor === 1 ? v : mul(v, factor));
    const left = () => (transA ? matMul(transB ? transpose(b) : b, transpose(g)) : matMul(g, transB ? b : transpose(b)));
    const right = () => (transB ? matMul(transpose(g), transA ? transpose(a) : a) : matMul(transA ? a : transpose(a), g));
    return [
      wanted[0] ? scaled(left(), alpha) : undefined,
      wanted[1] ? scaled(right(), alpha) : undefined,
      wanted[2] ? scaled(sumTo(g, c!.shape), beta) : undefined,
    ];
  },
});
