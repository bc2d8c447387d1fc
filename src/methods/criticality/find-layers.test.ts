import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { specialize } from "../../engine/compile/specialize.js";
import type { Graph } from "../../engine/graph/graph.js";
import type { OnnxModel, OnnxNode } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { Random } from "../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { findLayers } from "./find-layers.js";
import { foldedNormalization } from "./folded.js";
import { ownTensors } from "./own-tensors.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const random = new Random(0, "find-layers");
const noise = (...shape: number[]): Tensor =>
  tensor(
    "float32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.normal()),
  );
const filled = (value: number, ...shape: number[]): Tensor => tensor("float32", shape, new Array(sizeOf(shape)).fill(value));

type Line = readonly [op: string, name: string, inputs: readonly string[], output: string, attributes?: OnnxNode["attributes"]];

function fileOf(input: Shape, weights: Readonly<Record<string, Tensor>>, lines: readonly Line[]): OnnxModel {
  const nodes = lines.map(([op, name, inputs, output, attributes = {}]) => ({
    op,
    name,
    domain: "",
    inputs,
    outputs: [output],
    attributes,
  }));
  return {
    irVersion: 8,
    opset: 18,
    customOpsets: {},
    producer: "test",
    metadata: {},
    graph: {
      name: "test",
      inputs: [{ name: "x", type: "float32", shape: input }],
      outputs: [{ name: lines.at(-1)![3], type: "float32", shape: undefined }],
      initializers: new Map(Object.entries(weights)),
      nodes,
      valueInfo: new Map(),
    },
  };
}

const layered = async (file: OnnxModel) =>
  findLayers(await specialize(ownTensors(file), {}, engine.evaluate, { keep: "weights" }), engine.evaluate);

const summary = (layers: Awaited<ReturnType<typeof layered>>["layers"]) =>
  layers.map((l) => [l.name, l.kind, l.parameters.map((p) => p.role).join(" ")]);

/** All initializers of one module doubled: the output must change, and what is doubled must be that module's alone. */
async function outputs(graph: Graph, changed: readonly string[], x: Tensor): Promise<number[]> {
  const model = graph.build();
  const initializers = new Map(model.graph.initializers);
  for (const name of changed) {
    const t = initializers.get(name)!;
    initializers.set(
      name,
      tensor(
        "float32",
        t.shape,
        Array.from(t.data as Float32Array, (v) => v * 2 + 1),
      ),
    );
  }
  return Array.from(
    Object.values(await runModel({ ...model, graph: { ...model.graph, initializers } }, { x }))[0]!.data as Float32Array,
  );
}

describe("layers", () => {
  it("have a tensor of their own each where the exporter merged equal ones through Identity", async () => {
    const bn = (name: string, x: string, weight: string, y: string): Line => [
      "BatchNormalization",
      name,
      [x, weight, "zero", "zero2", "one"],
      y,
    ];
    const file = fileOf(
      [1, 4, 5, 5],
      { "bn1.weight": filled(1, 4), zero: filled(0, 4), zero2: filled(0, 4), one: filled(1, 4) },
      [
        ["Identity", "", ["bn1.weight"], "bn2.weight"],
        bn("/bn1/BatchNormalization", "x", "bn1.weight", "a"),
        ["Relu", "", ["a"], "r"],
        bn("/bn2/BatchNormalization", "r", "bn2.weight", "b"),
      ],
    );
    const { graph, layers } = await layered(file);
    expect(layers.map((l) => l.name)).toEqual(["bn1", "bn2"]);
    const all = layers.flatMap((l) => l.parameters.map((p) => p.name));
    expect(new Set(all).size).toBe(8);
    const x = noise(1, 4, 5, 5);
    const [neither, first, second] = [
      await outputs(graph, [], x),
      await outputs(graph, [layers[0]!.parameters[0]!.name], x),
      await outputs(graph, [layers[1]!.parameters[0]!.name], x),
    ];
    expect(first).not.toEqual(neither);
    // relu(3 a) 1 and relu(a) 3 are the same: each was changed once, not twice
    second.forEach((v, i) => expect(v).toBeCloseTo(first[i]!, 4));
    second.forEach((v, i) => expect(v).toBeCloseTo(3 * neither[i]!, 4));
  });

  it("are told apart by their paths where exporters merged them without Identity", async () => {
    const w = ["w", "b", "m", "v"];
    const file = fileOf([1, 4, 3, 3], { w: filled(1, 4), b: filled(0, 4), m: filled(0, 4), v: filled(1, 4) }, [
      ["BatchNormalization", "/norm_a/BatchNormalization", ["x", ...w], "a"],
      ["BatchNormalization", "/norm_b/BatchNormalization", ["a", ...w], "b2"],
    ]);
    const { layers } = await layered(file);
    expect(layers).toHaveLength(2);
    expect(new Set(layers.flatMap((l) => l.parameters.map((p) => p.name))).size).toBe(8);
  });

  it("are one where a module is applied twice", async () => {
    const file = fileOf([1, 3, 4, 4], { "conv.weight": noise(3, 3, 1, 1), "conv.bias": noise(3) }, [
      ["Conv", "/conv/Conv", ["x", "conv.weight", "conv.bias"], "a"],
      ["Conv", "/conv_1/Conv", ["a", "conv.weight", "conv.bias"], "b"],
    ]);
    const { layers } = await layered(file);
    expect(summary(layers)).toEqual([["conv", "convolution", "weight bias"]]);
    expect(layers[0]!.applications).toBe(2);
  });

  it("include matrix products with the Add behind them, transposed weights, and normalizations that were written out", async () => {
    const file = fileOf(
      [2, 6],
      {
        "fc1.weight": noise(5, 6),
        "fc1.bias": noise(5),
        "onnx::MatMul_7": noise(5, 5),
        "norm.weight": noise(5),
        "norm.bias": noise(5),
        two: filled(2),
        eps: filled(1e-5),
      },
      [
        ["Transpose", "", ["fc1.weight"], "t", { perm: { kind: "ints", value: [1, 0] } }],
        ["MatMul", "/fc1/MatMul", ["x", "t"], "a"],
        ["Add", "/fc1/Add", ["fc1.bias", "a"], "b"],
        ["MatMul", "/blocks/blocks.0/fc2/MatMul", ["b", "onnx::MatMul_7"], "c"],
        ["ReduceMean", "/norm/ReduceMean", ["c"], "mean"],
        ["Sub", "/norm/Sub", ["c", "mean"], "d"],
        ["Pow", "/norm/Pow", ["d", "two"], "e"],
        ["ReduceMean", "/norm/ReduceMean_1", ["e"], "var"],
        ["Add", "/norm/Add", ["var", "eps"], "f"],
        ["Sqrt", "/norm/Sqrt", ["f"], "g"],
        ["Div", "/norm/Div", ["d", "g"], "h"],
        ["Mul", "/norm/Mul", ["h", "norm.weight"], "i"],
        ["Add", "/norm/Add_1", ["i", "norm.bias"], "y"],
      ],
    );
    const { graph, layers } = await layered(file);
    expect(summary(layers)).toEqual([
      ["fc1", "linear", "weight bias"],
      ["blocks.0.fc2", "linear", "weight"],
      ["norm", "normalization", "weight bias"],
    ]);
    expect(layers[0]!.parameters[0]).toMatchObject({ layout: "in-out", inFile: { name: "fc1.weight", transposed: true } });
    expect(layers[0]!.parameters[0]!.trained.shape).toEqual([6, 5]);
    const x = noise(2, 6);
    const whole = await runModel(file, { x });
    const rewired = await outputs(graph, [], x);
    rewired.forEach((v, i) => expect(v).toBeCloseTo((whole.y!.data as Float32Array)[i]!, 4));
  });
});

describe("folded normalization", () => {
  const conv = (weight: string) =>
    fileOf([1, 3, 4, 4], { [weight]: noise(3, 3, 1, 1), b: noise(3) }, [["Conv", "/conv1/Conv", ["x", weight, "b"], "y"]]);

  it("is detected by the names of fused weights", async () => {
    const file = conv("onnx::Conv_193");
    const { layers } = await layered(file);
    expect(layers[0]!.name).toBe("conv1");
    expect(foldedNormalization(file, layers)).toMatchObject({ layers: ["conv1"] });
  });

  it("is not seen in plain convolutions with a bias", async () => {
    const file = conv("conv1.weight");
    expect(foldedNormalization(file, (await layered(file)).layers)).toBeUndefined();
  });
});
