import { describe, expect, it } from "vitest";
import { gradientGraph } from "../../autodiff/gradient-graph.js";
import { lower } from "../../compile/lower.js";
import { Graph } from "../../graph/graph.js";
import { sizeOf, tensor, toNumbers } from "../../tensor/tensor.js";
import { checkedLevels, runModel } from "../../testing/run-model.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { matMul } from "./mat-mul.js";

/** Shapes of which some axis has no elements: a sum over nothing, and a product without rows or columns. */
const shapes = [
  [
    [2, 0],
    [0, 3],
  ],
  [
    [0, 2],
    [2, 3],
  ],
  [
    [2, 2],
    [2, 0],
  ],
  [
    [4, 2, 0],
    [4, 0, 3],
  ],
  [
    [4, 2, 0],
    [0, 3],
  ],
  [[0], [0]],
  [[0], [0, 3]],
  [[2, 0], [0]],
  [
    [0, 2, 3],
    [0, 3, 2],
  ],
  [
    [0, 0],
    [0, 0],
  ],
] as const;

describe.each(["float32", "float16", "float64"] as const)(
  "a product of nothing is 0, and its gradient has no elements, in %s",
  (type) => {
    it.each(shapes)("%j · %j", async (a, b) => {
      const graph = new Graph();
      const [x, w] = [graph.input("x", type, a), graph.input("w", type, b)];
      const c = graph.input("c", type, []);
      graph.output("y", add(add(reduceSum(matMul(x, w)), c), mul(reduceSum(x), 0)));
      const gradient = gradientGraph(graph);
      const feeds = Object.fromEntries(
        gradient.inputs.map((v) => [v.name, tensor(v.type, v.shape, new Array(sizeOf(v.shape)).fill(0.5))]),
      );
      for (const built of [gradient, lower(gradient, "cpu")])
        for (const level of checkedLevels) {
          const { y, ...slopes } = await runModel(built.build(), feeds, level);
          expect(toNumbers(y!)).toEqual([0.5]);
          expect([slopes["d.x"]!.shape, slopes["d.w"]!.shape]).toEqual([a, b]);
          for (const slope of [slopes["d.x"]!, slopes["d.w"]!]) expect(toNumbers(slope).every((v) => v === 0)).toBe(true);
        }
    });
  },
);
