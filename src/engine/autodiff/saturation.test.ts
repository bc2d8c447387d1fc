import { describe, expect, it } from "vitest";
import { lower } from "../compile/lower.js";
import { Graph, type Value } from "../graph/graph.js";
import * as o from "../operators/index.js";
import { type FloatType, tensor, toNumbers } from "../tensor/tensor.js";
import { checkedLevels, runModel } from "../testing/run-model.js";
import { gradients } from "./gradients.js";

/** A function written out in elementary operators, as files have it, and its derivative in a form that holds everywhere. */
interface WrittenOut {
  readonly f: (x: Value) => Value;
  readonly slope: (x: number) => number;
  /** Those that ONNX Runtime has a kernel for; default both. */
  readonly types?: readonly FloatType[];
}

const sigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const sigmoidSlope = (x: number) => sigmoid(x) * sigmoid(-x);
const swishSlope = (alpha: number) => (x: number) => sigmoid(alpha * x) + alpha * x * sigmoidSlope(alpha * x);
const sech = (x: number) => 1 / Math.cosh(x);
const mishSlope = (x: number) => {
  const t = Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
  return t + x * (1 - t * t) * sigmoid(x);
};
const onePlusExp = (x: Value) => o.add(o.exp(x), 1);

const forms: Readonly<Record<string, WrittenOut>> = {
  "1 / (1 + e^-x)": { f: (x) => o.div(1, onePlusExp(o.neg(x))), slope: sigmoidSlope },
  "(1 + e^-x)^-1 as Reciprocal": { f: (x) => o.reciprocal(onePlusExp(o.neg(x))), slope: sigmoidSlope },
  "(1 + e^-x)^-1 as Pow": { f: (x) => o.pow(onePlusExp(o.neg(x)), -1), slope: sigmoidSlope },
  "1 / (1 + e^-x) with e^x as Pow": { f: (x) => o.reciprocal(o.add(o.pow(Math.E, o.neg(x)), 1)), slope: sigmoidSlope },
  "1 - 2 / (1 + e^2x)": { f: (x) => o.sub(1, o.div(2, onePlusExp(o.mul(x, 2)))), slope: (x) => sech(x) ** 2 },
  "x / (1 + e^-x)": { f: (x) => o.div(x, onePlusExp(o.neg(x))), slope: swishSlope(1) },
  "x · 1 / (1 + e^-x)": { f: (x) => o.mul(x, o.reciprocal(onePlusExp(o.neg(x)))), slope: swishSlope(1) },
  "x / (1 + e^-1.702x), quick GELU": { f: (x) => o.div(x, onePlusExp(o.mul(x, -1.702))), slope: swishSlope(1.702) },
  "x tanh(log(1 + e^x)), mish": { f: (x) => o.mul(x, o.tanh(o.log(onePlusExp(x)))), slope: mishSlope },
  "x > 20 ? x : log(1 + e^x), softplus": {
    f: (x) => o.where(o.greater(x, 20), x, o.log(onePlusExp(x))),
    slope: sigmoid,
  },
  "x > 0 ? x : e^x - 1, ELU": {
    f: (x) => o.where(o.greater(x, 0), x, o.sub(o.exp(x), 1)),
    slope: (x) => (x > 0 ? 1 : Math.exp(x)),
  },
  "max(x, 0) + min(e^x - 1, 0), CELU": {
    f: (x) => o.add(o.relu(x), o.min(o.sub(o.exp(x), 1), 0)),
    slope: (x) => (x > 0 ? 1 : x === 0 ? 0.5 : Math.exp(x)),
  },
  "1 / cosh(x)": { f: (x) => o.reciprocal(o.cosh(x)), slope: (x) => -sech(x) * Math.tanh(x), types: ["float32"] },
  "√(x²) at 0": { f: (x) => o.sqrt(o.mul(x, x)), slope: Math.sign },
  "(x²)^½ at 0": { f: (x) => o.pow(o.mul(x, x), 0.5), slope: Math.sign },
  "(x²)^¾ at 0": { f: (x) => o.pow(o.mul(x, x), 0.75), slope: (x) => 1.5 * Math.sqrt(Math.abs(x)) * Math.sign(x) },
  "x / (√(x²) + 1)": { f: (x) => o.div(x, o.add(o.sqrt(o.mul(x, x)), 1)), slope: (x) => 1 / (1 + Math.abs(x)) ** 2 },
  "x / max(√(x²), 1)": {
    f: (x) => o.div(x, o.max(o.sqrt(o.mul(x, x)), 1)),
    slope: (x) => (Math.abs(x) > 1 ? 0 : Math.abs(x) === 1 ? 0.5 : 1),
  },
  "r = max(x, 0), r > 0 ? √r : 0": {
    f: (x) => o.where(o.greater(x, 0), o.sqrt(o.relu(x)), 0),
    slope: (x) => (x > 0 ? 0.5 / Math.sqrt(x) : 0),
  },
  "p = max(x, 0), p > 0 ? p log p : 0": {
    f: (x) => o.where(o.greater(x, 0), o.mul(o.relu(x), o.log(o.relu(x))), 0),
    slope: (x) => (x > 0 ? 1 + Math.log(x) : 0),
  },
};
const points = [-1e4, -200, -89, -60, -20, -1, -0.25, 0, 0.25, 1, 20, 60, 89, 200, 1e4];

describe.each(["float32", "float64"] as const)("where the prediction is finite, so is the gradient, in %s", (type: FloatType) => {
  const known = Object.entries(forms).filter(([, form]) => form.types?.includes(type) ?? true);
  it.each(known)("%s", async (_, { f, slope }) => {
    const graph = new Graph();
    const x = graph.input("x", type, [points.length]);
    const y = f(x);
    graph.output("y", y);
    graph.output("dx", gradients(y, [x])[0]!);
    for (const level of checkedLevels)
      for (const built of [graph, lower(graph, "cpu")]) {
        const ran = await runModel(built.build(), { x: tensor(type, [points.length], points) }, level);
        const [values, slopes] = [toNumbers(ran.y!), toNumbers(ran.dx!)];
        const wrong = points.flatMap((at, i) =>
          Math.abs(slopes[i]! - slope(at)) <= 2e-4 ? [] : [`at ${at}: ${values[i]}, slope ${slopes[i]} for ${slope(at)}`],
        );
        expect(wrong).toEqual([]);
      }
  });
});
