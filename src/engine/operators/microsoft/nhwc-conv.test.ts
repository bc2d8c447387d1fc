import { expect, it } from "vitest";
import { Graph } from "../../graph/graph.js";
import { Random } from "../../tensor/random.js";
import { sizeOf, tensor, toNumbers } from "../../tensor/tensor.js";
import { runModel } from "../../testing/run-model.js";
import { Conv } from "../convolution/conv.js";
import { emit } from "../emit.js";
import { transpose } from "../layout/transpose.js";
import { NhwcConv } from "./fused.js";

it("NhwcConv has channels last in images and weights, as ONNX Runtime's optimizer writes it in the place of Conv", async () => {
  const random = new Random(3, "nhwc");
  const draw = (shape: number[]) =>
    tensor(
      "float32",
      shape,
      Array.from({ length: sizeOf(shape) }, () => random.normal()),
    );
  const feeds = { x: draw([2, 4, 5, 6]), w: draw([6, 2, 3, 2]), b: draw([6]) };
  const attributes = { group: 2, strides: [2, 1], pads: [1, 0, 1, 1] };
  const graph = new Graph();
  const [x, w, b] = Object.entries(feeds).map(([name, { type, shape }]) => graph.input(name, type, shape));
  const last = (v: typeof x) => transpose(v!, [0, 2, 3, 1]);
  graph.output("first", emit(Conv, [x!, w!, b!], attributes));
  graph.output("last", transpose(emit(NhwcConv, [last(x), last(w), b!], attributes), [0, 3, 1, 2]));
  const results = await runModel(graph, feeds);
  expect(results.last!.shape).toEqual(results.first!.shape);
  expect(Array.from(toNumbers(results.last!))).toEqual(Array.from(toNumbers(results.first!)));
});
