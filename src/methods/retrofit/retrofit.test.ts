import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradients } from "../../engine/autodiff/gradients.js";
import { specialize } from "../../engine/compile/specialize.js";
import { embed } from "../../engine/graph/embed.js";
import { Graph, type Node, type Value } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { Conv } from "../../engine/operators/convolution/conv.js";
import { scalar } from "../../engine/operators/emit.js";
import {
  averagePool,
  cast,
  concat,
  conv,
  convInteger,
  convTranspose,
  depthToSpace,
  dequantizeLinear,
  dynamicQuantizeLinear,
  maxPool,
  mul,
  reduceSum,
  relu,
  resize,
  slice,
} from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { type FloatType, type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { createEngine, type Engine } from "../../index.js";
import { forms, Left, resamplingPlaces } from "../../vision/resampling/index.js";
import { outputDifferences } from "./difference.js";
import { retrofitFile } from "./in-file.js";
import { evaluateKernels } from "./kernels.js";
import { downChoiceNames, upChoiceNames } from "./names.js";
import { type RetrofitOptions, retrofit } from "./retrofit.js";

const random = new Random(1, "retrofit");
const normal = (shape: Shape) =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal(0, 0.5)),
  );
const picture = (shape: Shape) =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1)),
  );

function model(shape: Shape, build: (x: Value, weight: (shape: Shape) => Value) => Value): Graph {
  const graph = new Graph();
  const x = graph.input("x", "float32", shape);
  let count = 0;
  graph.output(
    "y",
    build(x, (s) => graph.constant(normal(s), `weight${count++}`, "weight")),
  );
  return graph;
}

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

async function difference(graph: Graph, made: Graph): Promise<number> {
  const feeds = [0, 1].map(() => ({ x: picture(graph.inputs[0]!.shape) }));
  const [moved] = await outputDifferences(engine, graph, made, feeds);
  return moved!.relative;
}

const downs: Readonly<Record<string, (x: Value, weight: (shape: Shape) => Value) => Value>> = {
  "3x3": (x, w) => conv(x, w([4, 3, 3, 3]), { strides: [2, 2], pads: [1, 1, 1, 1] }),
  "7x7": (x, w) => conv(x, w([4, 3, 7, 7]), { strides: [2, 2], pads: [3, 3, 3, 3], bias: w([4]) }),
  "1x1": (x, w) => conv(x, w([4, 3, 1, 1]), { strides: [2, 2] }),
  patches: (x, w) => conv(x, w([4, 3, 4, 4]), { strides: [4, 4] }),
  "same, asymmetric": (x, w) => conv(x, w([4, 3, 3, 3]), { strides: [2, 2], autoPad: "SAME_UPPER" }),
  "grouped, one axis": (x, w) => conv(x, w([6, 1, 3, 3]), { strides: [2, 1], pads: [1, 1, 1, 1], group: 3 }),
  "max 2x2": (x) => maxPool(x, [2, 2], { strides: [2, 2] }),
  "max 3x3": (x) => maxPool(x, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  "average 2x2": (x) => averagePool(x, [2, 2], { strides: [2, 2] }),
  "3x3 of stride 3": (x, w) => conv(x, w([4, 3, 3, 3]), { strides: [3, 3], pads: [1, 1, 1, 1], bias: w([4]) }),
  "7x7 of stride 4": (x, w) => conv(x, w([4, 3, 7, 7]), { strides: [4, 4], pads: [3, 3, 3, 3] }),
  "3x3 of integers": (x, w) => {
    const { y, scale, zeroPoint } = dynamicQuantizeLinear(x);
    const sums = convInteger(y, eightBits(w([4, 3, 3, 3])), { x: zeroPoint }, { strides: [2, 2], pads: [1, 1, 1, 1] });
    return mul(cast(sums, "float32"), mul(scale, 0.02));
  },
  "max 3x3 of stride 3": (x) => maxPool(x, [3, 3], { strides: [3, 3] }),
};

const eightBits = (weight: Value): Value => cast(mul(weight, 50), "int8");

/** Interpolations to a smaller size, of maps whose sides they divide. */
const shrinks: Readonly<Record<string, (x: Value) => Value>> = {
  "nearest, 1/2": (x) => resize(x, { scales: [1, 1, 0.5, 0.5], mode: "nearest", coordinates: "asymmetric", nearest: "floor" }),
  "nearest of the middle, 1/4": (x) => resize(x, { scales: [1, 1, 0.25, 0.25], mode: "nearest" }),
  "bilinear, 1/2": (x) => resize(x, { scales: [1, 1, 0.5, 0.5], mode: "linear" }),
  "bilinear, 1/4 and 1/2": (x) => resize(x, { scales: [1, 1, 0.25, 0.5], mode: "linear", coordinates: "pytorch_half_pixel" }),
  "bicubic, 1/4": (x) => resize(x, { scales: [1, 1, 0.25, 0.25], mode: "cubic" }),
  "bilinear against aliasing, 1/2": (x) => resize(x, { scales: [1, 1, 0.5, 0.5], mode: "linear", downsampling: "antialias" }),
};

const ups: Readonly<Record<string, (x: Value, weight: (shape: Shape) => Value) => Value>> = {
  bilinear: (x) => resize(x, { scales: [1, 1, 2, 2], mode: "linear", coordinates: "half_pixel" }),
  nearest: (x) => resize(x, { scales: [1, 1, 2, 2], mode: "nearest", coordinates: "asymmetric", nearest: "floor" }),
  "transposed 2x2": (x, w) => convTranspose(x, w([3, 4, 2, 2]), { strides: [2, 2], bias: w([4]) }),
  "transposed 4x4": (x, w) => convTranspose(x, w([3, 4, 4, 4]), { strides: [2, 2], pads: [1, 1, 1, 1] }),
  "transposed 3x3": (x, w) => convTranspose(x, w([3, 2, 3, 3]), { strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 1] }),
  "pixel shuffle": (x, w) => depthToSpace(conv(x, w([8, 3, 3, 3]), { pads: [1, 1, 1, 1], bias: w([8]) }), 2, "CRD"),
  "pixel shuffle, blocks first": (x, w) => depthToSpace(conv(x, w([8, 3, 1, 1])), 2, "DCR"),
  "pixel shuffle by 3": (x, w) => depthToSpace(conv(x, w([18, 3, 3, 1]), { pads: [1, 0, 1, 0], bias: w([18]) }), 3, "CRD"),
  "pixel shuffle of groups": (x, w) => depthToSpace(conv(x, w([12, 1, 3, 3]), { pads: [1, 1, 1, 1], group: 3 }), 2, "CRD"),
  "pixel shuffle without convolution": (x) => depthToSpace(relu(concat([x, x, x, x], 1)), 2, "CRD"),
  "the same, blocks first": (x) => depthToSpace(relu(concat([x, x, x, x], 1)), 2, "DCR"),
  "pixel shuffle by 4": (x, w) => depthToSpace(conv(x, w([32, 3, 3, 3]), { pads: [1, 1, 1, 1], bias: w([32]) }), 4, "CRD"),
  "pixel shuffle by 4 after 1x1": (x, w) => depthToSpace(conv(x, w([32, 3, 1, 1])), 4, "DCR"),
  "bilinear by 3": (x) => resize(x, { scales: [1, 1, 3, 3], mode: "linear" }),
  "bilinear by 4": (x) => resize(x, { scales: [1, 1, 4, 4], mode: "linear", coordinates: "pytorch_half_pixel" }),
  "bilinear by 8": (x) => resize(x, { scales: [1, 1, 8, 8], mode: "linear" }),
  "bilinear by 2 and 4": (x) => resize(x, { scales: [1, 1, 2, 4], mode: "linear" }),
  "bilinear along one axis": (x) => resize(x, { scales: [1, 1, 1, 2], mode: "linear" }),
  "bilinear from the corner": (x) => resize(x, { scales: [1, 1, 2, 2], mode: "linear", coordinates: "asymmetric" }),
  "nearest by 4": (x) => resize(x, { scales: [1, 1, 4, 4], mode: "nearest" }),
  "nearest by 8": (x) => resize(x, { scales: [1, 1, 8, 8], mode: "nearest", coordinates: "asymmetric", nearest: "floor" }),
  "nearest, rounded up": (x) => resize(x, { scales: [1, 1, 2, 2], mode: "nearest", coordinates: "asymmetric", nearest: "ceil" }),
  bicubic: (x) => resize(x, { scales: [1, 1, 2, 2], mode: "cubic" }),
  "transposed 4x4 of stride 4": (x, w) => convTranspose(x, w([3, 4, 4, 4]), { strides: [4, 4], bias: w([4]) }),
  "transposed 8x8 of stride 4": (x, w) => convTranspose(x, w([3, 4, 8, 8]), { strides: [4, 4], pads: [2, 2, 2, 2] }),
  "transposed 16x16 of stride 8": (x, w) => convTranspose(x, w([3, 2, 16, 16]), { strides: [8, 8], pads: [4, 4, 4, 4] }),
  "transposed, a row short": (x, w) => convTranspose(x, w([3, 4, 3, 3]), { strides: [2, 2], pads: [1, 1, 1, 1] }),
  "transposed, a row over": (x, w) => convTranspose(x, w([3, 4, 3, 3]), { strides: [2, 2], bias: w([4]) }),
  "transposed, not square": (x, w) => convTranspose(x, w([3, 4, 2, 3]), { strides: [2, 3], bias: w([4]) }),
  "transposed, dilated": (x, w) => convTranspose(x, w([3, 4, 2, 2]), { strides: [2, 2], dilations: [2, 2], pads: [1, 1, 0, 0] }),
  "transposed, same": (x, w) => convTranspose(x, w([3, 4, 5, 5]), { strides: [2, 2], autoPad: "SAME_LOWER" }),
  "transposed, stored as 8 bits": (x, w) => {
    const kernel = dequantizeLinear(eightBits(w([3, 4, 4, 4])), scalar(x.graph, 0.02, "float32"));
    return convTranspose(x, kernel, { strides: [2, 2], pads: [1, 1, 1, 1] });
  },
  "transposed of groups": (x, w) => convTranspose(x, w([3, 2, 4, 4]), { strides: [2, 2], pads: [1, 1, 1, 1], group: 3 }),
};

/** With corners aligned, of sides that are 1 more than a multiple. */
const aligned: Readonly<Record<string, (x: Value) => Value>> = {
  "bilinear with corners aligned, 1/2": (x) => resize(x, { sizes: [1, 3, 9, 5], mode: "linear", coordinates: "align_corners" }),
  "bicubic with corners aligned, 1/4": (x) => resize(x, { sizes: [1, 3, 5, 3], mode: "cubic", coordinates: "align_corners" }),
};

describe("layers that lower the resolution", () => {
  it.each([
    ...Object.entries(aligned).map(([name, of]) => [name, [17, 9], of] as const),
    ...Object.entries(downs).flatMap(([name, of]) =>
      [
        [16, 20],
        [15, 21],
      ].map((size) => [name, size, of] as const),
    ),
    ...Object.entries(shrinks).flatMap(([name, of]) =>
      [
        [16, 20],
        [8, 8],
      ].map((size) => [name, size, of] as const),
    ),
  ])("%s of %j: with every sample kept, every s-th is the layer's", async (_, size, of) => {
    const graph = model([1, 3, ...size], of);
    const [place] = resamplingPlaces(graph);
    expect(place!.form.direction).toBe("down");
    const both = new Graph();
    const x = both.input("x", "float32", graph.inputs[0]!.shape);
    const { values } = embed(both, graph, { x });
    const node = place!.node as Node;
    const form = place!.form;
    const kept =
      form.direction === "down" &&
      form.undecimated({ ...node, inputs: node.inputs.map((v) => v && values.get(v.name)) }, "these");
    if (!kept || kept instanceof Left) throw new Error("left");
    const [rows, columns] = place!.factor;
    expect(kept.shape.slice(2)).toEqual([place!.after.shape[2]! * rows, place!.after.shape[3]! * columns]);
    both.output("sampled", slice(kept, [0, 0], kept.shape.slice(2), { axes: [2, 3], steps: [rows, columns] }));
    both.output("layer", values.get(place!.after.name)!);
    const { sampled, layer } = await runModel(both.build(), { x: picture(x.shape) });
    toNumbers(layer!).forEach((v, i) => {
      expect(toNumbers(sampled!)[i]).toBeCloseTo(v, 5);
    });
  });

  it.each(downChoiceNames)("%s replaces all of them, and says so", (down) => {
    const graph = model([1, 3, 32, 32], (x, w) => maxPool(downs["7x7"]!(x, w), [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }));
    const { graph: made, changes } = retrofit(graph, { down });
    expect(changes.map((c) => [c.form, c.outcome])).toEqual([
      ["strided convolution", { kind: "replaced", by: down }],
      ["max pooling", { kind: "replaced", by: down }],
    ]);
    expect(made.outputs.get("y")!.shape).toEqual([1, 4, 8, 8]);
    expect(resamplingPlaces(made)).toEqual([]);
  });

  it("moves a model of a band-limited picture by no more than rounding", async () => {
    const graph = model([1, 3, 32, 48], downs["1x1"]!);
    const { graph: made } = retrofit(graph, { down: "flc" });
    // periods of 16 and 6.4 rows, 5.3 columns: below the new limit of 4, whole numbers of them in the picture
    const smooth = (c: number, y: number, x: number) =>
      0.3 + Math.cos((2 * Math.PI * (2 * y + c)) / 32) + 0.5 * Math.sin((2 * Math.PI * 5 * y) / 32 + (2 * Math.PI * 9 * x) / 48);
    const data = Float32Array.from({ length: 3 * 32 * 48 }, (_, i) =>
      smooth(Math.floor(i / 1536), Math.floor((i % 1536) / 48), i % 48),
    );
    const [moved] = await outputDifferences(engine, graph, made, [{ x: tensor("float32", [1, 3, 32, 48], data) }]);
    expect(moved!.relative).toBeLessThan(1e-5);
    // and of one that is not, by what aliased
    expect(await difference(graph, made)).toBeGreaterThan(0.1);
  });
});

it("what stands in a layer's place is named after it", () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [1, 3, 8, 8]);
  const [y] = graph.add(Conv, [x, graph.constant(normal([4, 3, 1, 1]), "w")], { strides: [2, 2] }, { name: "stem" });
  graph.output("y", y!);
  const { nodes } = retrofit(graph, { down: "flc" }).graph;
  expect(nodes.map((n) => n.name)).toEqual(expect.arrayContaining(["stem/Conv", "stem/MatMul", "stem/MatMul_1"]));
});

describe("layers that raise the resolution", () => {
  it.each(Object.entries(ups))("%s: a large kernel begins as the same function", async (_, of) => {
    for (const size of [
      [8, 8],
      [5, 7],
      [1, 3],
    ]) {
      const graph = model([2, 3, ...size], of);
      await evaluateKernels(graph, (part) => engine.evaluate(part));
      const fitting = upChoiceNames.filter((up) => retrofit(graph, { up }).changes[0]!.outcome.kind === "replaced");
      // whatever does not fit into a smaller one fits into the larger ones
      expect(fitting).toEqual(upChoiceNames.slice(-fitting.length));
      expect(fitting).toContain("lctc-31+3");
      for (const up of new Set([fitting[0]!, fitting.at(-1)!])) {
        const { graph: made, changes } = retrofit(graph, { up });
        expect(changes.map((c) => c.outcome)).toEqual([{ kind: "replaced", by: up }]);
        expect(await difference(graph, made), up).toBeLessThan(1e-5);
      }
    }
  });

  it.each([
    ["linear", 2],
    ["linear", 4],
    ["cubic", 2],
    ["cubic", 3],
    ["nearest", 4],
  ] as const)("%s with corners aligned from n to %i (n - 1) + 1: the same", async (mode, s) => {
    for (const [height, width] of [
      [5, 8],
      [2, 9],
    ] as const) {
      const sizes = [1, 3, s * (height - 1) + 1, s * (width - 1) + 1];
      const graph = model([1, 3, height, width], (x) => resize(x, { sizes, mode, coordinates: "align_corners" }));
      const { graph: made, changes } = retrofit(graph, { up: "lctc-31" });
      expect(changes.map((c) => c.outcome.kind)).toEqual(["replaced"]);
      expect(await difference(graph, made)).toBeLessThan(1e-5);
      expect(retrofit(graph, { up: "lctc-31", sides: "any" }).changes[0]!.outcome).toEqual({
        kind: "left",
        because: expect.stringContaining("it aligns corners"),
      });
      // and back: every s-th sample of what keeps them all is the layer's
      const back = model(sizes, (x) => resize(x, { sizes: [1, 3, height, width], mode, coordinates: "align_corners" }));
      expect(retrofit(back, { down: "flc" }).changes.map((c) => c.outcome.kind)).toEqual(["replaced"]);
    }
  });

  it.each([
    [
      "by 1.5",
      (x: Value) => resize(x, { scales: [1, 1, 1.5, 1.5], mode: "linear" }),
      /enlarges by 1\.5 and 1\.5, which are no whole/,
    ],
    [
      "corners aligned",
      (x: Value) => resize(x, { scales: [1, 1, 2, 2], mode: "linear", coordinates: "align_corners" }),
      /other weights/,
    ],
    ["a single pixel", (x: Value) => resize(maxPool(x, [6, 6]), { scales: [1, 1, 8, 8], mode: "linear" }), /single pixel/],
    ["down by 1.5", (x: Value) => resize(x, { sizes: [1, 3, 4, 4] }), /shrinks by 1\.5 and 1\.5/],
  ] as const)("interpolation %s is left, and says why", (_, of, because) => {
    const graph = model([1, 3, 6, 6], of);
    const { outcome } = retrofit(graph, { down: "flc", up: "lctc-31" }).changes[0]!;
    expect(outcome).toEqual({ kind: "left", because: expect.stringMatching(because) });
  });

  it("what does not fit is left, with the reason", () => {
    const wide = model([1, 3, 4, 4], (x, w) => depthToSpace(conv(x, w([8, 3, 5, 5]), { pads: [2, 2, 2, 2] }), 2, "CRD"));
    expect(retrofit(wide, { up: "lctc-7" }).changes[0]!.outcome).toEqual({
      kind: "left",
      because: "its kernel of 10x10 does not fit into the middle of 7x7; --up lctc-11 has room",
    });
  });
});

it("the file keeps its other nodes, names, opset and symbolic batch", async () => {
  const graph = model([1, 3, 16, 16], (x, w) => {
    const y = relu(downs["3x3"]!(x, w));
    return ups["pixel shuffle"]!(relu(downs["max 2x2"]!(y, w)), (s) => w(s.length === 4 ? [8, 4, 3, 3] : s));
  });
  const built = graph.build();
  const file = {
    ...built,
    metadata: { author: "somebody" },
    graph: { ...built.graph, inputs: built.graph.inputs.map((i) => ({ ...i, shape: ["N", 3, "H", "W"] })) },
  };
  const specialized = (of: OnnxModel, batch: number) =>
    specialize(of, { x: [batch, 3, 16, 16] }, (m) => engine.evaluate(m), { keep: "weights" });
  const one = await specialized(file, 1);
  const result = retrofit(one, { down: "flc", up: "lctc-9" });
  const { graph: made, changes } = result;
  expect(changes.map((c) => c.outcome.kind)).toEqual(["replaced", "replaced", "replaced"]);
  const written = retrofitFile(file, one, result, "these")!;
  expect(written.graph.inputs[0]!.shape).toEqual(["N", 3, 16, 16]);
  expect([written.opset, written.metadata]).toEqual([file.opset, file.metadata]);
  expect(written.graph.nodes.filter((n) => n.op === "Relu")).toEqual(built.graph.nodes.filter((n) => n.op === "Relu"));
  // one picture: as the graph; several: as each alone
  const x = picture([3, 3, 16, 16]);
  const [whole] = await outputDifferences(engine, made, await specialized(written, 1), [{ x: picture([1, 3, 16, 16]) }]);
  expect(whole!.relative).toBeLessThan(1e-6);
  const together = toNumbers((await runModel(written, { x })).y!);
  const alone = [0, 1, 2].map((i) => tensor("float32", [1, 3, 16, 16], x.data.slice(768 * i, 768 * (i + 1))));
  const apart = (await Promise.all(alone.map(async (t) => toNumbers((await runModel(written, { x: t })).y!)))).flat();
  together.forEach((v, i) => {
    expect(v).toBeCloseTo(apart[i]!, 5);
  });
});

describe("files of any size", () => {
  /** The model as a file whose height and width are open, retrofitted at one size. */
  async function written(of: (x: Value, weight: (shape: Shape) => Value) => Value, options: RetrofitOptions, type: FloatType) {
    const graph = new Graph();
    const x = graph.input("x", type, [1, 3, 16, 24]);
    const weights: Value[] = [];
    const weight = (shape: Shape) => {
      weights.push(graph.constant(cast16(normal(shape), type), `weight${weights.length}`, "weight"));
      return weights.at(-1)!;
    };
    graph.output("y", of(x, weight));
    const built = graph.build();
    const inputs = built.graph.inputs.map((i) => ({ ...i, shape: ["N", 3, "H", "W"] }));
    // Its values say the shapes of one size, as those of a file whose inputs somebody opened do.
    const open = { ...built.graph, inputs };
    const file = { ...built, graph: { ...open, outputs: open.outputs.map((o) => ({ ...o, shape: ["N", "C", "h", "w"] })) } };
    const at = (size: Shape) => specialize(file, { x: [1, 3, ...size] }, (m) => engine.evaluate(m), { keep: "weights" });
    const one = await at([16, 24]);
    await evaluateKernels(one, (part) => engine.evaluate(part));
    const result = retrofit(one, { ...options, sides: "any" });
    return { file: retrofitFile(file, one, result, "any")!, changes: result.changes, at };
  }
  const cast16 = (t: Tensor, type: FloatType): Tensor => tensor(type, t.shape, toNumbers(t));

  // Even and odd halves, shorter than a kernel; interpolations by 1/4 have a whole factor on the last alone.
  const sizes = [
    [15, 22],
    [4, 9],
    [8, 12],
  ];
  const shrinking = Object.entries({ ...downs, ...shrinks }).filter(([name]) => name !== "same, asymmetric");
  it.each(shrinking.flatMap(([name, of]) => downChoiceNames.map((down) => [name, down, of] as const)))(
    "%s by %s: the same numbers as made for each size",
    async (name, down, of) => {
      const { file, changes, at } = await written(of, { down }, "float32");
      expect(changes.map((c) => c.outcome)).toEqual([{ kind: "replaced", by: down }]);
      expect(file.graph.inputs[0]!.shape).toEqual(["N", 3, "H", "W"]);
      for (const size of sizes) {
        // Interpolations by another than the whole factor of their scales are no whole factor at all.
        if (name in shrinks && size.some((n) => n % 4 !== 0)) continue;
        const { graph: made } = retrofit(await at(size), { down });
        const x = picture([1, 3, ...size]);
        const [expected, actual] = [await runModel(made, { x }), await runModel(file, { x })];
        expect(actual.y!.shape).toEqual(expected.y!.shape);
        const [a, e] = [toNumbers(actual.y!), toNumbers(expected.y!)];
        e.forEach((v, i) => {
          expect(Math.abs(a[i]! - v), `${size}`).toBeLessThan(1e-5);
        });
      }
    },
  );

  it.each(Object.entries(ups))("%s: still begins as the same function at every size", async (_, of) => {
    const { file, changes, at } = await written(of, { up: "lctc-31" }, "float32");
    expect(changes.map((c) => c.outcome.kind)).toEqual(["replaced"]);
    for (const size of sizes.slice(0, 2)) {
      const x = picture([1, 3, ...size]);
      const [expected, actual] = [await runModel(await at(size), { x }), await runModel(file, { x })];
      expect(actual.y!.shape).toEqual(expected.y!.shape);
      const [a, e] = [toNumbers(actual.y!), toNumbers(expected.y!)];
      e.forEach((v, i) => {
        expect(Math.abs(a[i]! - v), `${size}`).toBeLessThan(1e-4);
      });
    }
  });

  it("float16 maps come back as float16", async () => {
    const { file, at } = await written(downs["3x3"]!, { down: "flc" }, "float16");
    const { graph: made } = retrofit(await at([22, 14]), { down: "flc" });
    const x = cast16(picture([1, 3, 22, 14]), "float16");
    const [expected, actual] = [await runModel(made, { x }), await runModel(file, { x })];
    expect(actual.y!.type).toBe("float16");
    const e = toNumbers(expected.y!);
    toNumbers(actual.y!).forEach((v, i) => {
      expect(Math.abs(v - e[i]!)).toBeLessThan(4e-3);
    });
  });

  it("a layer whose padding depends on the size is left, and says so", async () => {
    const graph = model([1, 3, 16, 16], downs["same, asymmetric"]!);
    expect(retrofit(graph, { down: "flc", sides: "any" }).changes[0]!.outcome).toEqual({
      kind: "left",
      because: "its padding depends on the size of the map (auto_pad SAME_UPPER); with --sides fixed it can be replaced",
    });
  });
});

it("the gradient of a retrofitted model is that of the file", async () => {
  const graph = model([1, 3, 16, 16], (x, w) =>
    ups["pixel shuffle"]!(downs["3x3"]!(x, w), (s) => w(s.length === 4 ? [8, 4, 3, 3] : s)),
  );
  const { graph: made } = retrofit(graph, { down: "flc", up: "lctc-9" });
  const whole = new Graph();
  const x = whole.input("x", "float32", [1, 3, 16, 16]);
  const { outputs } = embed(whole, made, { x });
  const direction = picture(outputs.y!.shape);
  const loss = reduceSum(mul(outputs.y!, whole.constant(direction)));
  whole.output("loss", loss);
  whole.output("dx", gradients(loss, [x])[0]!);
  const [at, along] = [picture(x.shape), picture(x.shape)];
  const step = 1e-2;
  const moved = (sign: number): Tensor =>
    tensor(
      "float32",
      x.shape,
      Float32Array.from(at.data, (v, i) => v + sign * step * along.data[i]!),
    );
  const number = async (t: Tensor) => toNumbers((await runModel(whole.build(), { x: t })).loss!)[0]!;
  const slope = ((await number(moved(1))) - (await number(moved(-1)))) / (2 * step);
  const { dx } = await runModel(whole.build(), { x: at });
  const expected = toNumbers(dx!).reduce((s, v, i) => s + v * along.data[i]!, 0);
  expect(Math.abs(slope - expected)).toBeLessThan(1e-3 * Math.max(1, Math.abs(expected)));
});

it("every form is found by one form alone", () => {
  for (const of of [...Object.values(downs), ...Object.values(shrinks), ...Object.values(ups)]) {
    const graph = model([1, 3, 16, 16], of);
    for (const node of graph.nodes) expect(forms.filter((f) => f.find(node)).length).toBeLessThanOrEqual(1);
  }
});
