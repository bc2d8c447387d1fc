import { describe, expect, it } from "vitest";
import { lower } from "../compile/lower.js";
import { Graph } from "../graph/graph.js";
import { allCases } from "../operators/cases.js";
import * as o from "../operators/index.js";
import { tensor, toNumbers } from "../tensor/tensor.js";
import { checkDirectional } from "../testing/operator-case.js";
import { runModel } from "../testing/run-model.js";
import { jacobianVectorProduct } from "./forward.js";

/** ONNX Runtime 1.30 fuses a Pad into the convolution that reads it as its kernel, as the tangent of these weights does. */
const misfused = "Conv: 3-D, grouped, strided";

describe("tangents of every operator in every mode", () => {
  it.each(allCases.map((test) => [test.name, test] as const))("%s", async (_, test) => {
    const level = test.name === misfused ? "disabled" : "all";
    const { finiteDifference, tangent, gradient, scale, allowed } = (await checkDirectional(test, level, { tangents: "too" }))!;
    expect(Math.abs(finiteDifference - tangent!)).toBeLessThanOrEqual(allowed);
    // ⟨v, J u⟩ = ⟨Jᵀ v, u⟩
    expect(Math.abs(gradient - tangent!)).toBeLessThanOrEqual(1e-4 * scale + 1e-5);
  });
});

describe("a tangent", () => {
  const run = async (graph: Graph, feeds: Readonly<Record<string, readonly number[]>>) => {
    const named = graph.inputs.map(({ name, shape }) => [name, tensor("float32", shape, feeds[name]!)] as const);
    return toNumbers((await runModel(lower(graph, "cpu"), Object.fromEntries(named))).dy!);
  };

  it("is J t, element by element, of several inputs together", async () => {
    const graph = new Graph();
    const [a, b] = [graph.input("a", "float32", [2]), graph.input("b", "float32", [2])];
    const tangents = [
      { wrt: a, tangent: graph.input("ta", "float32", [2]) },
      { wrt: b, tangent: graph.input("tb", "float32", [2]) },
    ];
    // d(a b²) = b² da + 2 a b db
    graph.output("dy", jacobianVectorProduct([o.mul(a, o.mul(b, b))], tangents)[0]!);
    expect(await run(graph, { a: [2, 3], b: [5, 7], ta: [1, 10], tb: [0, 1] })).toEqual([25, 490 + 42]);
  });

  it("does not need the stand-in for a cotangent: what is built has the given inputs only", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [2, 3]);
    const tangent = graph.input("t", "float32", [2, 3]);
    graph.output("dy", jacobianVectorProduct([o.softmax(x, 1)], [{ wrt: x, tangent }])[0]!);
    expect(graph.build().graph.inputs.map(({ name }) => name)).toEqual(["x", "t"]);
  });

  it("stops at stopGradient and follows withGradient's backward part", async () => {
    const graph = new Graph();
    const [x, tangent] = [graph.input("x", "float32", [2]), graph.input("t", "float32", [2])];
    const y = o.add(o.withGradient(o.round(x), o.mul(x, 3)), o.stopGradient(o.exp(x)));
    graph.output("dy", jacobianVectorProduct([y], [{ wrt: x, tangent }])[0]!);
    expect(await run(graph, { x: [0.3, 1.7], t: [1, 2] })).toEqual([3, 6]);
  });

  it("of an output that nothing differentiable leads to is zeros", async () => {
    const graph = new Graph();
    const [x, tangent] = [graph.input("x", "float32", [2]), graph.input("t", "float32", [2])];
    graph.output("dy", jacobianVectorProduct([o.sign(x)], [{ wrt: x, tangent }])[0]!);
    expect(await run(graph, { x: [0.3, 1.7], t: [1, 2] })).toEqual([0, 0]);
  });
});
