import { describe, expect, it } from "vitest";
import { Graph, type Value } from "../graph/graph.js";
import * as o from "../operators/index.js";
import { tensor } from "../tensor/tensor.js";
import { summarize } from "./summary.js";

const constant = (x: Value, ...shape: number[]) => x.graph.constant(tensor("float32", shape), "w");

/** What one operator costs over x [2, 3, 8, 8] or [4, 6]. */
const costs: readonly (readonly [string, (x: Value, m: Value) => Value, number])[] = [
  ["Conv", (x) => o.conv(x, constant(x, 5, 3, 3, 3)), 2 * (2 * 5 * 6 * 6) * 27],
  ["ConvTranspose", (x) => o.convTranspose(x, constant(x, 3, 5, 2, 2)), 2 * (2 * 3 * 8 * 8) * (5 * 4)],
  ["MatMul", (_, m) => o.matMul(m, constant(m, 6, 7)), 2 * (4 * 7) * 6],
  ["Gemm", (_, m) => o.gemm(m, constant(m, 4, 7), undefined, { transposed: "A" }), 2 * (6 * 7) * 4],
  ["Einsum", (_, m) => o.einsum("ij,jk->ik", m, constant(m, 6, 7)), 2 * 4 * 6 * 7],
  ["MaxPool", (x) => o.maxPool(x, [2, 2]), 2 * 3 * 7 * 7 * 4],
  ["ReduceSum", (x) => o.reduceSum(x), 2 * 3 * 8 * 8],
  ["Relu", (x) => o.relu(x), 2 * 3 * 8 * 8],
  ["Transpose", (x) => o.transpose(x), 0],
];

describe("a summary", () => {
  it.each(costs)("counts the operations of %s", (name, build, flops) => {
    const graph = new Graph();
    const [x, m] = [graph.input("x", "float32", [2, 3, 8, 8]), graph.input("m", "float32", [4, 6])];
    graph.output("y", build(x, m));
    const summary = summarize(graph);
    expect(summary.operators.map((operator) => operator.name)).toContain(name);
    expect(summary.flops).toBe(flops);
  });

  it("tells batch normalization that is there from one that was folded away, and from other normalizations", () => {
    const network = (after: (x: Value) => Value, bias: boolean) => {
      const graph = new Graph();
      let x = graph.input("x", "float32", [1, 4, 8, 8]);
      for (let i = 0; i < 5; i++) {
        const w = graph.constant(tensor("float32", [4, 4, 1, 1], new Float32Array(16).fill(i)));
        x = after(o.conv(x, w, bias ? { bias: graph.constant(tensor("float32", [4], [i, 1, 2, 3])) } : {}));
      }
      graph.output("y", x);
      return summarize(graph).batchNormalization;
    };
    const four = (x: Value) => x.graph.constant(tensor("float32", [4], [1, 1, 1, 1]));
    expect(network((x) => o.batchNormalization(x, four(x), four(x), four(x), four(x)), false)).toEqual({
      kind: "present",
      nodes: 5,
    });
    expect(network(o.relu, true)).toEqual({ kind: "none", likelyFolded: true });
    expect(network(o.relu, false)).toEqual({ kind: "none", likelyFolded: false });
    expect(network((x) => o.instanceNormalization(x, four(x), four(x)), true)).toEqual({ kind: "none", likelyFolded: false });
  });
});
