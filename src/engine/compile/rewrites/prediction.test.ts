import { describe, expect, it } from "vitest";
import { vectorJacobianProduct } from "../../autodiff/gradients.js";
import { Graph, type Value } from "../../graph/graph.js";
import * as o from "../../operators/index.js";
import type { Provider } from "../../runtime/engine.js";
import { Random } from "../../tensor/random.js";
import { type Tensor, tensor, toNumbers } from "../../tensor/tensor.js";
import { checkedLevels, runModel } from "../../testing/run-model.js";
import { lower, rewriteStages } from "../lower.js";
import { type Rewrite, rewrite } from "../rewrite.js";
import { cases, graphOfCase } from "./cases.js";

// A rewrite must not change a prediction: what it says it keeps holds for every element, where others are infinite or NaN, huge or tiny.

interface Variant {
  readonly name: string;
  /** The weakest promise among the rewrites that reach the forward part. */
  readonly keeps: Rewrite["keeps"];
  readonly graph: Graph;
}

/** What all rewrites for a provider make of a graph, and each one alone, where it changes anything. */
function rewritten(graph: Graph, providers: readonly Provider[] = ["cpu", "webgpu"]): readonly Variant[] {
  const alone = [...new Set(rewriteStages.flat())]
    .filter((one) => one.providers === "all" || one.providers.some((p) => providers.includes(p)))
    .map(
      (one): Variant => ({ name: one.name, keeps: one.scope === "gradient" ? "bits" : one.keeps, graph: rewrite(graph, [one]) }),
    );
  const together = providers.map(
    (provider): Variant => ({ name: `all for ${provider}`, keeps: "rounding", graph: lower(graph, provider) }),
  );
  const operators = (g: Graph) =>
    g
      .build()
      .graph.nodes.map((n) => n.op)
      .join();
  return [...alone, ...together].filter((v) => operators(v.graph) !== operators(graph));
}

const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0];
const inputs = {
  "infinite and NaN elements": (r: Random) => (r.uniform() < 0.1 ? odd[r.integer(odd.length)]! : r.normal()),
  "huge elements": (r: Random) => 1e30 * r.normal(),
  "tiny elements": (r: Random) => 1e-30 * r.normal(),
  "elements of all sizes": (r: Random) => 10 ** (r.uniform() * 40 - 20) * r.normal(),
} as const;

/** To the bit (a zero may change its sign), or to rounding against the largest finite element; infinite and NaN elements stay where they are. */
function expectKept(actual: Tensor, expected: Tensor, keeps: Rewrite["keeps"], what: string): void {
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  const largest = e.filter(Number.isFinite).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const wrong = e.flatMap((v, i) => {
    const same = Object.is(a[i], v) || a[i] === v;
    const near = keeps === "rounding" && Number.isFinite(v) && Math.abs(a[i]! - v) <= 2e-6 * largest;
    return same || near ? [] : [`[${i}] is ${a[i]} instead of ${v}`];
  });
  expect(wrong, what).toEqual([]);
}

describe.each(Object.entries(inputs))("predictions stay what they are: %s", (kind, values) => {
  it.each(cases.map((c) => [`${c.rewrite}: ${c.title}`, c] as const))("%s", async (label, test) => {
    const { graph, feeds } = graphOfCase({ ...test, values }, new Random(2, kind + label));
    // ONNX Runtime's MaxPool treats NaN in one way with Indices and in another without, which WebGPU must do
    const variants = rewritten(graph, graph.nodes.some((n) => n.operator.name === "MaxPool") ? ["cpu"] : undefined);
    for (const level of checkedLevels) {
      const { y: expected } = await runModel(graph.build(), feeds, level);
      for (const variant of variants) {
        const { y } = await runModel(variant.graph.build(), feeds, level);
        expectKept(y!, expected!, variant.keeps, `${variant.name} at ${level}`);
      }
    }
  });
});

/** Functions that are not finite somewhere on [-9, 16], or large. */
const wild: Readonly<Record<string, (x: Value) => Value>> = {
  sqrt: o.sqrt,
  log: o.log,
  reciprocal: o.reciprocal,
  "x^-1/2": (x) => o.pow(x, -0.5),
  "x^1/2": (x) => o.pow(x, 0.5),
  "e^100x": (x) => o.exp(o.mul(x, 100)),
  "1e30 x · 1e30": (x) => o.mul(o.mul(x, 1e30), 1e30),
  "1e30 x · 1e-30": (x) => o.mul(o.mul(x, 1e30), 1e-30),
  "x / |x|": (x) => o.div(x, o.abs(x)),
  atanh: o.atanh,
};
/** Ways to leave a branch out. */
const masks: Readonly<Record<string, (x: Value, f: Value) => Value>> = {
  "x > 0": (x, f) => o.where(o.greater(x, 0), f, 0),
  "x >= 0.5": (x, f) => o.where(o.greaterOrEqual(x, 0.5), f, 0),
  "x <= 0.5": (x, f) => o.where(o.lessOrEqual(x, 0.5), f, 0),
  "-1 <= x <= 4": (x, f) => o.where(o.lessOrEqual(x, 4), o.where(o.greaterOrEqual(x, -1), f, 0), 0),
  "x = clip(x)": (x, f) => o.where(o.equal(x, o.clip(x, 0, 6)), f, 0),
  "relu(x) > 0": (x, f) => o.where(o.greater(o.relu(x), 0), f, 0),
  leaky: (x, f) => o.where(o.greater(x, 0), f, o.mul(f, 0.1)),
};
const points = [-9, -1, -0.5, 0, 0.25, 0.5, 1, 4, 16];

describe.each(Object.entries(wild))("a branch that is not taken changes nothing: %s", (_, f) => {
  it.each(Object.entries(masks))("%s", async (_, mask) => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [points.length]);
    graph.output("y", mask(x, f(x)));
    const feeds = { x: tensor("float32", [points.length], points) };
    for (const level of checkedLevels) {
      const { y: expected } = await runModel(graph.build(), feeds, level);
      for (const variant of rewritten(graph))
        expectKept((await runModel(variant.graph.build(), feeds, level)).y!, expected!, "bits", `${variant.name} at ${level}`);
    }
  });
});

/** Whose derivative at 0 is infinite. */
const steep: Readonly<Record<string, (x: Value) => Value>> = {
  sqrt: o.sqrt,
  "x^1/2": (x) => o.pow(x, 0.5),
  log: (x) => o.log(x),
  "norm over channels": (x) => o.sqrt(o.reduceSum(o.mul(x, x), [1], "keep")),
  "sqrt of a convolution": (x) => o.sqrt(o.conv(x, x.graph.constant(tensor("float32", [1, 2, 1, 1], [1, 2])))),
};
const before: Readonly<Record<string, (x: Value) => Value>> = {
  relu: o.relu,
  "clip from 0": (x) => o.clip(x, 0, 6),
  "leaky relu, relu": (x) => o.relu(o.leakyRelu(x, 0.1)),
};

describe.each(Object.entries(steep))("an infinite slope behind a mask is masked: %s", (_, f) => {
  it.each(Object.entries(before))("behind %s", async (_, activation) => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [1, 2, 3, 3]);
    const y = f(activation(x));
    graph.output("dx", vectorJacobianProduct([{ of: y, cotangent: y }], [x])[0]!);
    const feeds = { x: tensor("float32", [1, 2, 3, 3], [...points, ...points.map((v) => (v > 0 ? -v : v))]) };
    for (const level of checkedLevels) {
      const { dx: expected } = await runModel(graph.build(), feeds, level);
      for (const variant of rewritten(graph))
        expectKept(
          (await runModel(variant.graph.build(), feeds, level)).dx!,
          expected!,
          "rounding",
          `${variant.name} at ${level}`,
        );
    }
  });
});
