import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.js";
import { Graph, type Value } from "../../graph/graph.js";
import type { Random } from "../../tensor/random.js";
import { tensor } from "../../tensor/tensor.js";
import { notAdjoint } from "../../testing/adjoint-property.js";
import { checkedLevels, runModel } from "../../testing/run-model.js";
import { misinferred } from "../../testing/shape-property.js";
import type { AutoPad } from "../window.js";
import { averagePool } from "./average-pool.js";
import { lpPool } from "./lp-pool.js";
import { type MaxPoolOptions, maxPool, maxPoolWithIndices } from "./max-pool.js";
import { maxRoiPool } from "./max-roi-pool.js";
import { maxUnpool } from "./max-unpool.js";
import { roiAlign } from "./roi-align.js";

const autoPads: readonly AutoPad[] = ["NOTSET", "NOTSET", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"];

function randomPool(random: Random, withDilations: boolean): { size: number[]; kernel: number[]; options: MaxPoolOptions } {
  const rank = 1 + random.integer(3);
  const each = (low: number, high: number, length = rank) => Array.from({ length }, () => low + random.integer(high - low + 1));
  const kernel = each(1, 4);
  const autoPad = autoPads[random.integer(autoPads.length)]!;
  const options: MaxPoolOptions = {
    strides: each(1, 5),
    autoPad,
    rounding: random.integer(2) === 0 ? "ceil" : "floor",
    ...(autoPad === "NOTSET" ? { pads: [...kernel, ...kernel].map((k) => random.integer(k)) } : {}),
    ...(withDilations ? { dilations: each(1, 3) } : {}),
  };
  return { size: each(3, 10), kernel, options };
}

test.each([
  ["MaxPool", (x: Value, k: number[], o: MaxPoolOptions) => Object.values(maxPoolWithIndices(x, k, o)), true],
  ["AveragePool", (x: Value, k: number[], { dilations: _, ...o }: MaxPoolOptions) => averagePool(x, k, o), false],
  ["LpPool", (x: Value, k: number[], o: MaxPoolOptions) => lpPool(x, k, o), true],
] as const)("%s: inferred shapes are ONNX Runtime's", async (_, build, withDilations) => {
  const { mistakes, rejected } = await misinferred(300, (graph, random) => {
    const { size, kernel, options } = randomPool(random, withDilations);
    return build(graph.input("x", "float32", [1, 2, ...size]), kernel, options);
  });
  expect(mistakes).toEqual([]);
  expect(rejected).toBeLessThan(150);
});

test("region pooling and unpooling: inferred shapes are ONNX Runtime's", async () => {
  const { mistakes, rejected } = await misinferred(60, (graph, random) => {
    const each = (low: number, high: number, length: number) =>
      Array.from({ length }, () => low + random.integer(high - low + 1));
    const x = graph.input("x", "float32", [2, 3, ...each(3, 8, 2)]);
    const boxes = random.integer(4) + 1;
    const [height, width] = each(1, 4, 2) as [number, number];
    const kernel = each(2, 3, 2);
    return [
      maxRoiPool(x, graph.input("rois", "float32", [boxes, 5]), [height, width], 0.5),
      roiAlign(x, graph.input("boxes", "float32", [boxes, 4]), graph.input("batch", "int64", [boxes]), {
        outputSize: [height, width],
        samplingRatio: random.integer(3),
      }),
      maxUnpool(x, graph.input("indices", "int64", x.shape), kernel, { strides: each(2, 3, 2), pads: each(0, 1, 4) }),
    ];
  });
  expect(mistakes).toEqual([]);
  expect(rejected).toBe(0);
});

test.each(checkedLevels)("AveragePool: the gradient is the adjoint in every way of counting (level %s)", async (level) => {
  const wrong = await notAdjoint(150, level, (graph, random) => {
    const { size, kernel, options } = randomPool(random, false);
    const padding = random.integer(2) === 0 ? "counted" : "not counted";
    return averagePool(graph.input("x", "float32", [1, 16, ...size]), kernel, { ...options, padding });
  });
  expect(wrong).toEqual([]);
});

test.each(checkedLevels)("MaxPool: the first of equal maxima takes the whole cotangent (level %s)", async (level) => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [1, 1, 2, 3]);
  graph.output("dx", gradients(maxPool(x, [2, 2]), [x])[0]!);
  const { dx } = await runModel(graph, { x: tensor("float32", x.shape, [1, 1, 1, 1, 1, 1]) }, level);
  expect([...dx!.data]).toEqual([1, 1, 0, 0, 0, 0]);
});
