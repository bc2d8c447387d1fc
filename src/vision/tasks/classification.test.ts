import { describe, expect, it } from "vitest";
import { gradients } from "../../engine/autodiff/gradients.js";
import { Graph } from "../../engine/graph/graph.js";
import { tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { classification } from "./classification.js";

const logits = [2, -1, 0.5, 3, 1, /* second sample */ 9, 0, -3, 1, -2];
const labels = [0, 0];

async function evaluate(name: string) {
  const graph = new Graph();
  const z = graph.input("z", "float32", [2, 5]);
  const y = graph.input("y", "int64", [2]);
  const loss = classification.losses[name]!(z, y, { ignore: [-1], scale: 1 });
  graph.output("loss", loss);
  graph.output("dz", gradients(loss, [z])[0]!);
  const out = await runModel(graph, { z: tensor("float32", [2, 5], logits), y: tensor("int64", [2], labels) });
  return { loss: toNumbers(out.loss!), dz: toNumbers(out.dz!) };
}

const sample = (i: number) => logits.slice(5 * i, 5 * i + 5);
const sorted = (i: number) => sample(i).sort((a, b) => b - a) as [number, number, number, number];

describe("classification losses", () => {
  it("cross-entropy keeps the digits of small losses, and has the gradient softmax - onehot", async () => {
    const { loss, dz } = await evaluate("cross-entropy");
    for (const i of [0, 1]) {
      const sum = sample(i).reduce((s, v) => s + Math.exp(v - sample(i)[0]!), 0);
      const exact = Math.log1p(sum - 1);
      expect(Math.abs(loss[i]! - exact) / exact).toBeLessThan(1e-6);
      sample(i).forEach((v, k) => expect(dz[5 * i + k]).toBeCloseTo(Math.exp(v - sample(i)[0]!) / sum - (k === 0 ? 1 : 0), 6));
    }
  });

  it("difference of logits ratio, untargeted and towards a target", async () => {
    const [dlr, targeted] = [await evaluate("dlr"), await evaluate("targeted-dlr")];
    for (const i of [0, 1]) {
      const rival = Math.max(...sample(i).slice(1));
      const [first, , third, fourth] = sorted(i);
      expect(dlr.loss[i]).toBeCloseTo(-(sample(i)[0]! - rival) / (first - third), 5);
      expect(targeted.loss[i]).toBeCloseTo(-(sample(i)[0]! - rival) / (first - (third + fourth) / 2), 5);
    }
  });
});

// A graph's ArgMax passes over what is not a number, unless it comes first; the metric counts it as wrong. The two must not differ.
it.each([
  ["nowhere", [1, 2, 0], 1, 1],
  ["in front", [Number.NaN, 2, 0], 1, 0],
  ["behind the largest", [1, 2, Number.NaN], 1, 0],
  ["in its place", [1, Number.NaN, 0], 1, 0],
  ["everywhere", [Number.NaN, Number.NaN, Number.NaN], 0, 0],
  ["nowhere, but infinite scores", [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0], 1, 1],
] as const)("not a number %s: attacks and the metric call the same predictions right", async (_, scores, label, right) => {
  const graph = new Graph();
  const [z, y] = [graph.input("z", "float32", [1, 3]), graph.input("y", "int64", [1])];
  graph.output("correct", classification.correct(z, y, { ignore: [], scale: 1 }));
  const [prediction, labels] = [tensor("float32", [1, 3], [...scores]), tensor("int64", [1], [label])];
  const { correct } = await runModel(graph, { z: prediction, y: labels });
  expect(toNumbers(correct!)).toEqual([right]);
  const { sample } = classification.measure({ classes: 3, ignore: [] });
  expect(sample(tensor("float32", [3], [...scores]), tensor("int64", [1], [label]), undefined).value).toBe(right);
});
