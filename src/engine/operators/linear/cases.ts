import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import * as l from "./index.js";

type Inputs = Readonly<Record<string, Value>>;

const product = (name: string, a: readonly number[], b: readonly number[]): OperatorCase => ({
  name: `MatMul: ${name}`,
  operator: "MatMul",
  inputs: { a: { shape: a }, b: { shape: b } },
  build: ({ a, b }) => l.matMul(a!, b!),
});

const equation = (text: string, ...shapes: readonly (readonly number[])[]): OperatorCase => ({
  name: `Einsum: ${text} of ${shapes.map((s) => `[${s.join(", ")}]`).join(", ")}`,
  operator: "Einsum",
  inputs: Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { shape }])),
  build: (inputs) => l.einsum(text, ...shapes.map((_, i) => inputs[`x${i}`]!)),
});

export const linearCases: readonly OperatorCase[] = [
  product("matrices", [3, 4], [4, 2]),
  product("batches", [2, 3, 4], [2, 4, 2]),
  product("batches that broadcast", [2, 1, 3, 4], [5, 4, 2]),
  product("a batch by one matrix", [2, 2, 3, 4], [4, 2]),
  product("one matrix by a batch", [3, 4], [2, 4, 2]),
  product("vector by matrix", [4], [4, 2]),
  product("matrix by vector", [3, 4], [4]),
  product("batch by vector", [2, 3, 4], [4]),
  product("vector by batch", [4], [2, 4, 3]),
  product("vector by vector", [4], [4]),
  ...[
    [1, 1],
    [2, 2],
    [2, 3, 3],
    [4, 4],
  ].map((shape) => ({
    name: `Det: [${shape.join(", ")}]`,
    operator: "Det",
    inputs: { x: { shape } },
    build: ({ x }: Inputs) => l.det(x!),
  })),
  ...(["none", "A", "B", "both"] as const).map((transposed) => ({
    name: `Gemm: ${transposed} transposed, alpha and beta`,
    operator: "Gemm",
    inputs: {
      a: { shape: transposed === "A" || transposed === "both" ? [4, 3] : [3, 4] },
      b: { shape: transposed === "B" || transposed === "both" ? [2, 4] : [4, 2] },
      c: { shape: [2] },
    },
    build: ({ a, b, c }: Inputs) => l.gemm(a!, b!, c!, { alpha: 0.7, beta: 1.3, transposed }),
  })),
  {
    name: "Gemm: without C",
    operator: "Gemm",
    inputs: { a: { shape: [3, 4] }, b: { shape: [4, 2] } },
    build: ({ a, b }) => l.gemm(a!, b!),
  },
  {
    name: "Gemm: C per row",
    operator: "Gemm",
    inputs: { a: { shape: [3, 4] }, b: { shape: [4, 2] }, c: { shape: [3, 1] } },
    build: ({ a, b, c }) => l.gemm(a!, b!, c!),
  },
  equation("ij,jk->ik", [3, 4], [4, 2]),
  equation("bij,bjk->bik", [2, 3, 4], [2, 4, 2]),
  equation("bhid,bhjd->bhij", [2, 2, 3, 4], [2, 2, 5, 4]),
  equation("ij->ji", [3, 4]),
  equation("ij->i", [3, 4]),
  equation("ij->", [3, 4]),
  equation("i,j->ij", [3], [4]),
  equation("ij,ij->", [3, 4], [3, 4]),
  equation("ij,jk", [3, 4], [4, 2]),
  equation("ba,ac", [3, 4], [4, 2]),
  equation("...ij,...jk->...ik", [2, 3, 4], [2, 4, 2]),
  equation("...ij,jk->...ik", [2, 5, 3, 4], [4, 2]),
  equation("...ij,...jk", [5, 3, 4], [5, 4, 2]),
  equation("i...->...", [2, 3, 4]),
  equation("ii->i", [3, 3]),
  equation("ii->", [3, 3]),
  equation("iij,jk->ik", [3, 3, 2], [2, 4]),
  equation("ij,kl->il", [2, 3], [4, 2]),
  equation("ij,jk,kl->il", [2, 3], [3, 4], [4, 2]),
  equation("bchw,dc->bdhw", [2, 3, 2, 2], [4, 3]),
  {
    name: "Einsum: an operand by itself",
    operator: "Einsum",
    inputs: { x: { shape: [3, 3] } },
    build: ({ x }) => l.einsum("ij,jk->ik", x!, x!),
  },
  {
    name: "Einsum: constant operand",
    operator: "Einsum",
    inputs: { x: { shape: [2, 3] } },
    build: ({ x }, graph) => l.einsum("ij,kj->ik", x!, graph.constant(tensor("float32", [2, 3], [1, 2, 3, -1, 0, 2]))),
  },
];
