import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradients } from "../../autodiff/gradients.js";
import { neededNodes } from "../../graph/copy.js";
import { peakMemory } from "../../graph/cost.js";
import { Graph, GraphError, type Value } from "../../graph/graph.js";
import { add, conv, gelu, matMul, mul, reduceSum, relu, softmax, transpose } from "../../operators/index.js";
import type { Engine } from "../../runtime/engine.js";
import { createEngine } from "../../runtime/node.js";
import { Random } from "../../tensor/random.js";
import { type Shape, sizeOf, tensor } from "../../tensor/tensor.js";
import { lower } from "../lower.js";
import { recompute } from "./recompute.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const random = new Random(3, "recompute");
const normals = (shape: Shape, deviation: number) =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal(0, deviation)),
  );

type Network = (x: Value, weight: (shape: Shape) => Value) => Value;

const networks: Readonly<Record<string, { readonly input: Shape; readonly network: Network }>> = {
  // Blocks of attention, each behind the other: what crosses between them is one tensor.
  attention: {
    input: [1, 96, 32],
    network: (x, weight) => {
      let h = x;
      for (let i = 0; i < 6; i++) {
        const [q, k, v] = [weight([32, 32]), weight([32, 32]), weight([32, 32])].map((w) => matMul(h, w)) as [
          Value,
          Value,
          Value,
        ];
        h = add(h, matMul(softmax(matMul(q, transpose(k, [0, 2, 1])), -1), v));
        h = add(h, matMul(gelu(matMul(h, weight([32, 128]))), weight([128, 32])));
      }
      return h;
    },
  },
  // Skips from far: what crosses is wide.
  skips: {
    input: [1, 8, 24, 24],
    network: (x, weight) => {
      const levels: Value[] = [];
      let h = x;
      for (let i = 0; i < 20; i++) {
        h = relu(conv(h, weight([8, 8, 3, 3]), { pads: [1, 1, 1, 1] }));
        h = mul(h, softmax(h, 1));
        if (i < 2) levels.push(h);
      }
      return levels.reduce((a, b) => add(a, b), h);
    },
  },
};

function gradientOf(name: string, by: "input" | "weights"): { graph: Graph; shape: Shape } {
  const { input, network } = networks[name]!;
  const graph = new Graph();
  const x = graph.input("x", "float32", input);
  const weights: Value[] = [];
  const y = network(x, (shape) => {
    weights.push(
      graph.constant(normals(shape, 1 / Math.sqrt(sizeOf(shape.slice(shape.length === 4 ? 1 : 0, -1)))), `w${weights.length}`),
    );
    return weights.at(-1)!;
  });
  const loss = reduceSum(mul(y, y));
  graph.output("loss", loss);
  gradients(loss, by === "input" ? [x] : weights).forEach((g, i) => {
    graph.output(`d${i}`, g);
  });
  return { graph, shape: input };
}

describe.each(Object.keys(networks))("the gradient of %s", (name) => {
  it.each(["input", "weights"] as const)("by its %s has the same bits in less memory", async (by) => {
    const { graph, shape } = gradientOf(name, by);
    const x = normals(shape, 1);
    for (const form of [graph, lower(graph, "cpu")]) {
      const all = peakMemory(form);
      for (const share of [0.8, 0.6]) {
        const { graph: less, before, after, again } = recompute(form, all * share);
        expect(before).toBe(all);
        expect(again).toBeGreaterThan(0);
        expect(after).toBe(peakMemory(less));
        expect(after).toBeLessThanOrEqual(all * share);
        expect([...less.outputs.keys()]).toEqual([...form.outputs.keys()]);
        // At this level and those below, ONNX Runtime computes both alike; `layout` may join convolutions with what follows.
        for (const optimization of ["disabled", "extended"] as const) {
          const [whole, saving] = [await engine.compile(form, { optimization }), await engine.compile(less, { optimization })];
          expect(await saving.run({ x })).toEqual(await whole.run({ x }));
          for (const program of [whole, saving]) program.dispose();
        }
      }
    }
  });
});

it("computes nothing again where memory suffices", () => {
  const { graph } = gradientOf("attention", "input");
  const { graph: same, again, after } = recompute(graph, peakMemory(graph));
  expect([same, again, after]).toEqual([graph, 0, peakMemory(graph)]);
});

it("takes more again the less memory there is, and says what the least is", () => {
  const { graph } = gradientOf("attention", "input");
  const all = peakMemory(graph);
  const work = [0.9, 0.7, 0.5].map((share) => recompute(graph, all * share).again);
  expect(work).toEqual([...work].sort((a, b) => a - b));
  expect(() => recompute(graph, 1000)).toThrow(GraphError);
  const message = (() => {
    try {
      recompute(graph, 1000);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  })();
  expect(message).toMatch(
    /^0\.1 MiB of memory are not enough: the least that recomputing reaches is \d+\.\d MiB, of \d+\.\d MiB where all is kept;/,
  );
});

it("nothing is computed a second time before the reverse sweep asks for it", () => {
  const { graph } = gradientOf("attention", "input");
  const { graph: less } = recompute(graph, peakMemory(graph) * 0.5);
  const nodes = neededNodes(less.outputs.values());
  const copies = nodes.filter((node) => node.outputs.some((v) => v.name.includes(".again")));
  expect(copies.length).toBeGreaterThan(10);
  const cotangents = new Set(nodes.filter((n) => n.sweep === "reverse" && !copies.includes(n)).flatMap((n) => n.outputs));
  const waits = (v: Value, seen = new Set<Value>()): boolean => {
    if (seen.has(v)) return false;
    seen.add(v);
    return cotangents.has(v) || (v.node?.inputs.some((i) => i !== undefined && waits(i, seen)) ?? false);
  };
  for (const copy of copies)
    expect(
      copy.inputs.some((v) => v && waits(v)),
      String(copy.outputs[0]),
    ).toBe(true);
});
