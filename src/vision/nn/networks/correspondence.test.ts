import { expect, test } from "vitest";
import { vectorJacobianProduct } from "../../../engine/autodiff/gradients.js";
import { Graph } from "../../../engine/graph/graph.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { runModel } from "../../../engine/testing/run-model.js";
import { initialState, networkModel } from "../model.js";
import { asConstants, Parameters } from "../scope.js";
import { findNetwork } from "./index.js";

const noise = (shape: Shape, label: string): Tensor<"float32"> => {
  const random = new Random(1, label);
  return tensor(
    "float32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.uniform()),
  );
};

test("stereo finds the shift between two views when features decide alone", async () => {
  const [height, width, shift] = [32, 64, 8];
  const shapes = { left: [1, 3, height, width], right: [1, 3, height, width] };
  const { network } = findNetwork({ family: "stereo", width: 32, disparities: 24 });
  const left = noise(shapes.left, "left");
  const pixels = left.data;
  const right = tensor(
    "float32",
    shapes.right,
    pixels.map((_, i) => ((i % width) + shift < width ? pixels[i + shift]! : 0)),
  );
  const state = new Map<string, Tensor>(initialState(network, shapes, 3));
  const scaled = (name: string, factor: number) =>
    state.set(
      name,
      tensor(
        "float32",
        state.get(name)!.shape,
        toNumbers(state.get(name)!).map((v) => factor * v),
      ),
    );
  for (const layer of [0, 1, 2, 3]) scaled(`features.${layer}.weight`, 8);
  for (const layer of [0, 1, 2, 3]) scaled(`features.${layer}.bias`, 0);
  for (const name of ["refine.2.weight", "refine.2.bias"]) scaled(name, 0);
  const { output } = await runModel(networkModel(network, state, shapes), { left, right });
  expect(output!.shape).toEqual([1, 1, height, width]);
  const disparities = toNumbers(output!);
  const inner = Array.from({ length: 16 }, (_, row) => disparities.slice((row + 8) * width + 28, (row + 9) * width - 12)).flat();
  const median = inner.sort((a, b) => a - b)[inner.length >> 1]!;
  expect(Math.abs(median - shift)).toBeLessThan(0.5);
});

test("flow adds corrections from coarse to fine, each level's in its own pixels", async () => {
  const shapes = { first: [1, 3, 32, 48], second: [1, 3, 32, 48] };
  const { network } = findNetwork({ family: "flow", width: 4, levels: 3, radius: 2 });
  const state = new Map<string, Tensor>(initialState(network, shapes, 3));
  for (const level of [0, 1, 2]) {
    state.set(`decoders.${level}.2.weight`, tensor("float32", [2, 4 * 2 ** level, 3, 3]));
    state.set(`decoders.${level}.2.bias`, tensor("float32", [2], [1, -0.5]));
  }
  const feeds = { first: noise(shapes.first, "first"), second: noise(shapes.second, "second") };
  const { output } = await runModel(networkModel(network, state, shapes), feeds);
  // ((1 · 2 + 1) · 2 + 1) · 4 pixels of the image
  expect(output!.shape).toEqual([1, 2, 32, 48]);
  toNumbers(output!).forEach((v, i) => {
    expect(v).toBeCloseTo(i < 32 * 48 ? 28 : -14, 3);
  });
});

test.each(["flow", "stereo"] as const)("%s: gradients reach both images", async (family) => {
  const { network, inputs } = findNetwork(
    family === "flow" ? { family, width: 4, levels: 2, radius: 1 } : { family, width: 4, disparities: 16 },
  );
  const shape = [1, 3, 16, 24];
  const shapes = Object.fromEntries(inputs.map((name) => [name, shape]));
  const graph = new Graph();
  const images = inputs.map((name) => graph.input(name, "float32", shape));
  const y = network(new Parameters(graph, asConstants(initialState(network, shapes, 5))).scope, ...images);
  const cotangent = graph.constant(noise(y.shape, "cotangent"));
  vectorJacobianProduct([{ of: y, cotangent }], images).forEach((g, i) => {
    graph.output(`gradient.${inputs[i]}`, g);
  });
  const results = await runModel(graph, Object.fromEntries(inputs.map((name) => [name, noise(shape, name)])));
  for (const name of inputs) {
    const gradient = toNumbers(results[`gradient.${name}`]!);
    expect(gradient.every(Number.isFinite)).toBe(true);
    expect(gradient.filter((v) => v !== 0).length).toBeGreaterThan(gradient.length / 2);
  }
});
