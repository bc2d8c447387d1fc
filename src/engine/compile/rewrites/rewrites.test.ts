import { describe, expect, it } from "vitest";
import { vectorJacobianProduct } from "../../autodiff/gradients.js";
import { Graph } from "../../graph/graph.js";
import { averagePool, conv, maxPool, pad } from "../../operators/index.js";
import { Random } from "../../tensor/random.js";
import { type Tensor, tensor, toNumbers } from "../../tensor/tensor.js";
import { checkedLevels, runModel } from "../../testing/run-model.js";
import { lower, rewriteStages } from "../lower.js";
import { type Rewrite, rewrite } from "../rewrite.js";
import { cases, graphOfCase } from "./cases.js";
import { maxPoolWindows } from "./max-pool-windows.js";
import { winograd } from "./winograd.js";

const named = cases.map((c) => [`${c.rewrite}: ${c.title}`, c] as const);

describe("rewrites", () => {
  it("have a case each", () => {
    const names = new Set(rewriteStages.flat().map((l) => l.name));
    expect(new Set(cases.map((c) => c.rewrite))).toEqual(names);
  });
  it.each(named)("%s", async (label, test) => {
    const { graph, feeds } = graphOfCase(test, new Random(1, label));
    const { rewritten, times } = applied(graph, find(test.rewrite));
    expect(times).toBeGreaterThan(0);
    for (const level of checkedLevels) {
      const [expected, actual] = [await runModel(graph.build(), feeds, level), await runModel(rewritten.build(), feeds, level)];
      for (const [name, t] of Object.entries(expected)) expectClose(actual[name]!, t, `${name} at ${level}`, test.tolerance);
    }
  });
  it.each(named)("all together, %s", async (label, test) => {
    const { graph, feeds } = graphOfCase(test, new Random(1, label));
    for (const provider of ["cpu", "webgpu"] as const) {
      const actual = await runModel(lower(graph, provider).build(), feeds, "all");
      for (const [name, t] of Object.entries(await runModel(graph.build(), feeds, "disabled")))
        expectClose(actual[name]!, t, `${name} for ${provider}`, test.tolerance);
    }
  });
  it.each(named)("of float16 and float64, %s", async (label, test) => {
    for (const [type, tolerance] of [
      ["float16", 2e-2],
      ["float64", 1e-12],
    ] as const) {
      const { graph, feeds } = graphOfCase(test, new Random(1, label), type);
      // ONNX Runtime has few kernels for float64
      const expected = await runModel(graph.build(), feeds, "disabled").catch(() => (type === "float64" ? {} : undefined));
      for (const level of checkedLevels) {
        const actual = Object.keys(expected!).length > 0 ? await runModel(lower(graph, "cpu").build(), feeds, level) : {};
        for (const [name, t] of Object.entries(expected!)) expectClose(actual[name]!, t, `${name} in ${type}`, tolerance);
      }
    }
  });
  it("keep MaxPool's Indices out of graphs for WebGPU", () => {
    const { graph } = graphOfCase(cases.find((c) => c.rewrite === "max-pool-windows")!, new Random(1));
    const pools = applied(graph, maxPoolWindows)
      .rewritten.build()
      .graph.nodes.filter((n) => n.op === "MaxPool");
    expect(pools.map((n) => n.outputs.length)).toEqual([1]);
  });
  it("keep a gradient 0 where the output does not depend on a pixel, though tiles mix", async () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [1, 256, 24, 24]);
    const random = new Random(1);
    const w = graph.constant(
      tensor(
        "float32",
        [256, 256, 3, 3],
        Array.from({ length: 256 * 256 * 9 }, () => random.normal()),
      ),
    );
    const y = conv(x, w, { pads: [1, 1, 1, 1] });
    graph.output("dx", vectorJacobianProduct([{ of: y, cotangent: graph.input("v", "float32", y.shape) }], [x])[0]!);
    const { rewritten, times } = applied(graph, winograd);
    expect(times).toBe(1);
    const v = new Float32Array(256 * 24 * 24);
    v[5 * 24 * 24 + 9 * 24 + 10] = 1;
    const { dx } = await runModel(
      rewritten.build(),
      { x: tensor("float32", x.shape, new Float32Array(256 * 576)), v: tensor("float32", y.shape, v) },
      "all",
    );
    const touched = toNumbers(dx!).flatMap((d, i) => (d === 0 ? [] : [Math.floor((i % 576) / 24) * 100 + (i % 24)]));
    expect([...new Set(touched)].sort((a, b) => a - b)).toEqual([809, 810, 811, 909, 910, 911, 1009, 1010, 1011]);
  });
  it("leave other pools alone", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [1, 2, 4, 4]);
    const y = averagePool(x, [2, 2]);
    graph.output("dx", vectorJacobianProduct([{ of: y, cotangent: y }], [x])[0]!);
    expect(applied(graph, maxPoolWindows).times).toBe(0);
  });
});

it("zeros around a negative map win in a max pool at every level, though ONNX Runtime 1.30 takes the Pad into the pool", async () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [1, 1, 4, 4]);
  graph.output("y", maxPool(pad(x, [0, 0, 1, 1, 0, 0, 1, 1]), [3, 3], { strides: [2, 2] }));
  for (const level of checkedLevels) {
    const { y } = await runModel(
      lower(graph, "cpu").build(),
      { x: tensor("float32", [1, 1, 4, 4], new Float32Array(16).fill(-1)) },
      level,
    );
    expect(toNumbers(y!), level).toEqual([0, 0, 0, -1]);
  }
});

const find = (name: string): Rewrite => rewriteStages.flat().find((l) => l.name === name)!;

function applied(graph: Graph, tested: Rewrite) {
  let times = 0;
  const counting: Rewrite = {
    ...tested,
    apply: (...context) => {
      const result = tested.apply(...context);
      if (result) times++;
      return result;
    },
  };
  const rewritten = rewrite(graph, [counting]);
  return { rewritten, times };
}

function expectClose(actual: Tensor, expected: Tensor, what: string, tolerance = 2e-6): void {
  expect(actual.shape, what).toEqual(expected.shape);
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  const largest = (values: readonly number[]) => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  expect(largest(a.map((v, i) => v - e[i]!)) / Math.max(largest(e), 1e-30), what).toBeLessThan(tolerance);
}
