import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.js";
import { Graph } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import { checkedLevels, runModel } from "../../testing/run-model.js";
import { instanceNormalization } from "./instance-normalization.js";

test.each(checkedLevels)(
  "InstanceNormalization of no pixels is nothing, and its scale has the gradient 0 (level %s)",
  async (level) => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [5, 4, 0]);
    const scale = graph.input("scale", "float32", [4]);
    const y = instanceNormalization(x, scale, scale);
    graph.output("y", y);
    graph.output("d", gradients(y, [scale])[0]!);
    const { y: value, d } = await runModel(
      graph,
      { x: tensor("float32", x.shape, []), scale: tensor("float32", [4], [1, 2, 3, 4]) },
      level,
    );
    expect([value!.shape, [...d!.data]]).toEqual([
      [5, 4, 0],
      [0, 0, 0, 0],
    ]);
  },
);
