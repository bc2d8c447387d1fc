import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.js";
import { Graph, type Value } from "../../graph/graph.js";
import { tensor, toNumbers } from "../../tensor/tensor.js";
import { runModel } from "../../testing/run-model.js";
import { misinferred } from "../../testing/shape-property.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { concat } from "../layout/concat.js";
import { expand } from "../layout/expand.js";
import { reshape } from "../layout/reshape.js";
import { dft } from "./dft.js";
import { gridSample } from "./grid-sample.js";
import { MelWeightMatrix } from "./mel-weight-matrix.js";
import { STFT } from "./stft.js";

test("DFT and STFT: inferred shapes are ONNX Runtime's", async () => {
  const { mistakes, rejected } = await misinferred(100, (graph, random) => {
    const x = graph.input("x", "float32", [2, 3 + random.integer(6), 3 + random.integer(6), 1 + random.integer(2)]);
    const direction = random.integer(2) === 0 ? "forward" : "inverse";
    const onesided = x.shape[3] === 1 && direction === "forward" && random.integer(2) === 0;
    const signal = graph.input("signal", "float32", [1, 20 + random.integer(20), 1]);
    const [step, frame] = [1 + random.integer(6), 4 + random.integer(10)];
    const scalar = (n: number) => graph.constant(tensor("int64", [], [n]));
    return [
      dft(x, {
        direction,
        axis: 1 + random.integer(2),
        spectrum: onesided ? "onesided" : "full",
        ...(random.integer(2) === 0 ? { length: 2 + random.integer(9) } : {}),
      }),
      emit(STFT, [signal, scalar(step), graph.input("window", "float32", [frame]), scalar(frame)], {
        onesided: random.integer(2),
      }),
    ];
  });
  expect(mistakes).toEqual([]);
  expect(rejected).toBe(0);
});

test("MelWeightMatrix: inferred shape is ONNX Runtime's", async () => {
  const { mistakes } = await misinferred(10, (graph, random) => {
    const scalar = (type: "int64" | "float32", n: number) => graph.constant(tensor(type, [], [n]));
    const length = scalar("int64", 16 + random.integer(9));
    return emit(MelWeightMatrix, [
      scalar("int64", 8),
      length,
      scalar("int64", 8192),
      scalar("float32", 0),
      scalar("float32", 3000),
    ]);
  });
  expect(mistakes).toEqual([]);
});

test("STFT of a complex signal without imaginary part is that of the real one", async () => {
  const graph = new Graph();
  const real = graph.input("x", "float32", [2, 16, 1]);
  const [step, length] = [graph.constant(tensor("int64", [], [3])), graph.constant(tensor("int64", [], [5]))];
  const transformed = (signal: Value) => emit(STFT, [signal, step, undefined, length], { onesided: 0 });
  graph.output("real", transformed(real));
  graph.output("complex", transformed(concat([real, mul(real, 0)], 2)));
  const values = Array.from({ length: 32 }, (_, i) => Math.sin(i * 1.3));
  const results = await runModel(graph.build(), { x: tensor("float32", [2, 16, 1], values) });
  const complex = toNumbers(results.complex!);
  toNumbers(results.real!).forEach((v, i) => expect(complex[i]).toBeCloseTo(v, 5));
});

test("the gradient of GridSample finds its pixel in a picture of more pixels than float32 counts", async () => {
  const [size, row, column] = [4100, 4098, 4095];
  const graph = new Graph();
  const x = expand(graph.input("x", "float32", [1, 1, 1, 1]), [1, 1, size, size]);
  const place = (pixel: number) => (2 * pixel) / (size - 1) - 1;
  const grid = graph.constant(tensor("float32", [1, 1, 1, 2], [place(column), place(row)]));
  const dx = gradients(gridSample(x, grid, { mode: "nearest", coordinates: "align_corners" }), [x])[0]!;
  const at = row * size + column;
  const near = graph.constant(tensor("int64", [3], [at - 1, at, at + 1]));
  graph.output("dx", gather(reshape(dx, [size * size]), near));
  const { dx: found } = await runModel(graph, { x: tensor("float32", [1, 1, 1, 1], [0.5]) });
  expect([...toNumbers(found!)]).toEqual([0, 1, 0]);
});
