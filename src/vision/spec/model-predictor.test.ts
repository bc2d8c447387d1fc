import { expect, it } from "vitest";
import { gradients } from "../../engine/autodiff/gradients.js";
import { Graph } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import {
  argMax,
  conv,
  dequantizeLinear,
  dynamicQuantizeLinear,
  mul,
  quantizeLinear,
  reduceSum,
  scalar,
  transpose,
} from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { retyped } from "../../engine/testing/retyped.js";
import { runModel } from "../../engine/testing/run-model.js";
import { checkSpec, completeSpec, modelPredictor } from "./model-predictor.js";
import { parseModelSpec } from "./model-spec.js";

const random = new Random(2);
const drawn = (shape: Shape): Tensor<"float32"> =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(0, 1)),
  );
const weight = drawn([4, 3, 3, 3]);
const evaluate = (m: Graph) => runModel(m, {}, "disabled");

function networkGraph(shape: Shape): Graph {
  const graph = new Graph();
  const x = graph.input("x", "float32", shape);
  graph.output("y", conv(x, graph.constant(weight), { pads: [1, 1, 1, 1] }));
  return graph;
}
const network = (shape: Shape): OnnxModel => networkGraph(shape).build();

/** As an exporter writes it whose axes may be named: strings are free. */
function declared(shape: readonly (number | string)[] | undefined, names: readonly string[] = ["x"]): OnnxModel {
  const built = network([2, 3, 6, 8]);
  const inputs = names.map((name) => ({ name, type: "float32" as const, shape }));
  return { ...built, graph: { ...built.graph, inputs } };
}

const spec = parseModelSpec({ task: "segmentation" });

it.each([1, 2, 3, 5])("applies a model of batch 2 to a batch of %d, and gradients reach every image", async (batch) => {
  const shape = [batch, 3, 6, 8];
  const images = drawn(shape);
  const run = async (model: OnnxModel) => {
    const predictor = await modelPredictor(model, spec, { batch, height: 6, width: 8 }, evaluate);
    const graph = new Graph();
    const x = graph.input("image", "float32", shape);
    const y = predictor.predict(graph, { image: x });
    graph.output("y", y);
    graph.output("dx", gradients(reduceSum(mul(y, y)), [x])[0]!);
    return runModel(graph, { image: images });
  };
  const [parts, whole] = [await run(network([2, 3, 6, 8])), await run(network([batch, 3, 6, 8]))];
  for (const name of ["y", "dx"]) {
    expect(parts[name]!.shape).toEqual(whole[name]!.shape);
    (whole[name]!.data as Float32Array).forEach((v, i) => {
      expect(Number(parts[name]!.data[i])).toBeCloseTo(v, 3);
    });
  }
});

it("what a dynamically quantized model says of an image does not hang on the others of its batch", async () => {
  const file = (batch: number) => {
    const graph = new Graph();
    const { y, scale, zeroPoint } = dynamicQuantizeLinear(graph.input("x", "float32", [batch, 3, 6, 8]));
    graph.output("y", conv(dequantizeLinear(y, scale, zeroPoint), graph.constant(weight), { pads: [1, 1, 1, 1] }));
    const built = graph.build();
    return { ...built, graph: { ...built.graph, inputs: [{ name: "x", type: "float32" as const, shape: ["n", 3, 6, 8] }] } };
  };
  // One image in [0, 1], one a hundred times darker: over the range of both, the dark one would have 3 of 256 levels.
  const bright = drawn([1, 3, 6, 8]);
  const dark = { ...bright, data: bright.data.map((v) => v / 100) };
  const predict = async (images: Tensor<"float32">[]) => {
    const batch = images.length;
    const predictor = await modelPredictor(file(batch), spec, { batch, height: 6, width: 8 }, evaluate);
    const graph = new Graph();
    graph.output("y", predictor.predict(graph, { image: graph.input("image", "float32", [batch, 3, 6, 8]) }));
    const data = Float32Array.from(images.flatMap((image) => [...image.data]));
    return toNumbers((await runModel(graph, { image: tensor("float32", [batch, 3, 6, 8], data) })).y!);
  };
  expect(await predict([bright, dark])).toEqual([...(await predict([bright])), ...(await predict([dark]))]);
  expect(checkSpec(file(1), spec).batch).toBe(1);
});

it("gives and takes float32, whatever the model computes in", async () => {
  const shape = [1, 3, 6, 8];
  const image = drawn(shape);
  const [single, half] = await Promise.all(
    (["float32", "float16"] as const).map(async (type) => {
      const model = retyped(networkGraph(shape), type).graph.build();
      expect(model.graph.inputs[0]!.type).toBe(type);
      const predictor = await modelPredictor(model, spec, { batch: 1, height: 6, width: 8 }, evaluate);
      const graph = new Graph();
      const x = graph.input("image", "float32", shape);
      const y = predictor.predict(graph, { image: x });
      graph.output("y", y);
      graph.output("dx", gradients(reduceSum(mul(y, y)), [x])[0]!);
      return runModel(graph, { image });
    }),
  );
  for (const [name, t] of Object.entries(single!)) {
    expect(half![name]!.type).toBe("float32");
    const [a, b] = [toNumbers(half![name]!), toNumbers(t)];
    expect(Math.hypot(...a.map((v, i) => v - b[i]!))).toBeLessThan(2e-3 * Math.hypot(...b));
  }
});

it.each([undefined, "moved"])(
  "a quantized output counts as the numbers it stands for (%s), and has a gradient",
  async (moved) => {
    const shape = [1, 3, 6, 8];
    const image = drawn(shape);
    const [scale, zero] = [0.25, 7];
    const run = async (last: "quantized" | "real") => {
      const network = new Graph();
      const y = conv(network.input("x", "float32", shape), network.constant(weight), { pads: [1, 1, 1, 1] });
      const stored = quantizeLinear(y, scalar(network, scale, "float32"), network.constant(tensor("uint8", [], [zero])));
      network.output("y", last === "real" ? y : moved ? transpose(transpose(stored, [0, 1, 3, 2]), [0, 1, 3, 2]) : stored);
      const predictor = await modelPredictor(network.build(), spec, { batch: 1, height: 6, width: 8 }, evaluate);
      const graph = new Graph();
      const x = graph.input("image", "float32", shape);
      const prediction = predictor.predict(graph, { image: x });
      graph.output("y", prediction);
      graph.output("dx", gradients(reduceSum(prediction), [x])[0]!);
      return runModel(graph, { image });
    };
    const [found, exact] = [await run("quantized"), await run("real")];
    expect(found.y!.type).toBe("float32");
    toNumbers(found.y!).forEach((v, i) => {
      expect(Math.abs(v - toNumbers(exact.y!)[i]!)).toBeLessThanOrEqual(scale / 2 + 1e-5);
    });
    expect(toNumbers(found.dx!).map((v) => Number(v.toFixed(3)))).toEqual(toNumbers(exact.dx!).map((v) => Number(v.toFixed(3))));
  },
);

it("a decision is no prediction", async () => {
  const network = new Graph();
  network.output("k", argMax(conv(network.input("x", "float32", [1, 3, 6, 8]), network.constant(weight)), 1));
  await expect(modelPredictor(network.build(), spec, { batch: 1, height: 6, width: 8 }, evaluate)).rejects.toThrow(/ArgMax/);
});

it("takes the size from the file where it is fixed, and refuses another", () => {
  expect(checkSpec(declared(["n", 3, "h", "w"]), spec)).toEqual({});
  expect(completeSpec(declared(["n", 3, "h", "w"]), spec).size).toEqual({ rule: "any" });
  expect(completeSpec(declared([2, 3, 6, 8]), spec).size).toEqual({ rule: "fixed", height: 6, width: 8 });
  const multiple = (of: number) => parseModelSpec({ task: "segmentation", size: { rule: "multiple", of } });
  expect(completeSpec(declared([2, 3, 6, 8]), multiple(2)).size).toEqual({ rule: "fixed", height: 6, width: 8 });
  expect(() => completeSpec(declared([2, 3, 6, 8]), multiple(4))).toThrow(/6x8 .* only, not multiples of 4/);
});

it.each([
  ["other axes", declared(["n", 6, 8, 3]), {}, /say --layout nhwc/],
  ["gray", declared(["n", 1, 6, 8]), {}, /say --channels gray/],
  ["six channels", declared(["n", 6, 6, 8]), {}, /something else than images/],
  ["a vector", declared(["n", 3]), {}, /four axes/],
  ["two images", declared(["n", 3, 6, 8], ["a", "b"]), {}, /Nothing feeds the model's input b/],
  ["an output that is not there", declared(["n", 3, 6, 8]), { output: { name: "z" } }, /no output "z"; its outputs are y/],
  [
    "an input that is not there",
    declared(["n", 3, 6, 8]),
    { inputs: { image: "z" } },
    /no input "z" \(for image\); its inputs are x/,
  ],
])("says in one sentence what does not fit: %s", (_, model, more, sentence) => {
  expect(() => checkSpec(model, parseModelSpec({ task: "segmentation", ...more }))).toThrow(sentence);
});
