import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { gradientGraph } from "../autodiff/gradient-graph.js";
import type { Value } from "../graph/graph.js";
import type { ValueInfo } from "../onnx/model.js";
import { parseModel } from "../onnx/read.js";
import { node, smallModel } from "../onnx/testing/small-model.js";
import { decode, encode } from "../onnx/wire.js";
import { writeModel } from "../onnx/write.js";
import { type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { checkedLevels, runModel } from "../testing/run-model.js";
import { lower } from "./lower.js";
import { type SpecializeOptions, specialize } from "./specialize.js";

const folder = fileURLToPath(new URL("../../../fixtures/cases/engine/", import.meta.url));
const bytesOf = (name: string) => new Uint8Array(readFileSync(`${folder}${name}.onnx`));
const evaluate = (graph: Parameters<typeof runModel>[0]) => runModel(graph, {}, "disabled");
const open = (name: string, options: SpecializeOptions = {}) => specialize(parseModel(bytesOf(name)), {}, evaluate, options);
const floats = (...values: number[]): Tensor => tensor("float32", [1, values.length], values);
const numbers = (t: Tensor | undefined) => Array.from(toNumbers(t!));

describe("names are only names", () => {
  it.each([
    ["names/c9_init_constructor", "x"],
    ["names/c9_init___proto__", "x"],
    ["names/c9_input_constructor", "constructor"],
  ])("%s", async (file, input) => {
    const feeds = { [input]: floats(1, 2, 3, -4) };
    const graph = await open(file, { keep: "weights" });
    const expected = await runModel(bytesOf(file), feeds);
    expect(numbers((await runModel(graph, feeds)).y)).toEqual(numbers(expected.y));
    const gradient = gradientGraph(graph, { weights: "include" });
    const results = await runModel(gradient, { ...feeds, "v.y": floats(1, 1, 1, 1) });
    const weight = [...graph.values.values()].find((v) => v.constant);
    expect(Object.keys(results)).toEqual(["y", `d.${input}`, ...(weight ? [`d.${weight.name}`] : [])]);
    // x² or w x
    const slope = weight ? toNumbers(weight.constant!) : numbers(feeds[input]).map((v) => 2 * v);
    expect(numbers(results[`d.${input}`])).toEqual(slope);
  });
});

describe("nodes that differ in NaN or infinity alone are told apart", () => {
  it.each(["names/c8_merge_naninf", "names/c8_merge_thr"])("%s", async (file) => {
    const feeds = { x: floats(-2, -1, 1, 2) };
    const [expected, actual] = [
      await runModel(bytesOf(file), feeds, "disabled"),
      await runModel(await open(file), feeds, "disabled"),
    ];
    expect(numbers(expected.ya)).not.toEqual(numbers(expected.yb));
    for (const name of ["ya", "yb"]) expect(numbers(actual[name])).toEqual(numbers(expected[name]));
  });
});

describe("what a file leaves out or says stays so", () => {
  it("an omitted output", async () => {
    const graph = await open("names/c9_lstm");
    expect(graph.build().graph.nodes.map((n) => n.outputs)).toEqual([["", "h"]]);
    const [{ name, shape }] = graph.inputs as [Value];
    const feeds = {
      [name]: tensor(
        "float32",
        shape,
        Array.from({ length: 12 }, (_, i) => i / 12).slice(
          0,
          shape.reduce((a, b) => a * b, 1),
        ),
      ),
    };
    expect(await runModel(graph, feeds)).toEqual(await runModel(bytesOf("names/c9_lstm"), feeds));
  });

  it("the version of a custom operator set", async () => {
    expect(parseModel(bytesOf("names/c9_ml2")).customOpsets).toEqual({ "ai.onnx.ml": 2 });
    const graph = await open("names/c9_ml2");
    expect(graph.build().customOpsets).toEqual({ "ai.onnx.ml": 2 });
    expect(lower(gradientGraph(graph, { of: ["y"] }), "cpu").build().customOpsets).toEqual({ "ai.onnx.ml": 2 });
  });

  it("a default operator set that is not named is the newest", () => {
    const model = smallModel({
      opset: 18,
      inputs: { x: ["float32", [2]] },
      outputs: { y: "float32" },
      nodes: [node("com.microsoft.Gelu", "x", "y")],
    });
    const message = decode(writeModel(model), "Model", { messages: 1000, depth: 16, unpackedBytes: 1000 });
    const opsetImport = message.opsetImport!.filter(({ domain }) => domain === "com.microsoft");
    expect(opsetImport).toHaveLength(1);
    expect(parseModel(encode("Model", { ...message, opsetImport })).graph.outputs.map((o) => o.name)).toEqual(["y"]);
  });

  it("an operator set of ONNX Runtime's own need not be named, as its transformer optimizer leaves it", async () => {
    const model = smallModel({
      opset: 17,
      inputs: { x: ["float32", [1, 4]] },
      outputs: { y: "float32" },
      nodes: [node("com.microsoft.QuickGelu", "x", "y")],
    });
    const message = decode(writeModel(model), "Model", { messages: 1000, depth: 16, unpackedBytes: 1000 });
    const bytes = encode("Model", { ...message, opsetImport: message.opsetImport!.filter(({ domain }) => !domain) });
    const file = parseModel(bytes);
    expect(file.customOpsets).toEqual({ "com.microsoft": 1 });
    const x = floats(-1, 0, 0.5, 2);
    const graph = await specialize(file, {}, evaluate);
    const [found, expected] = [numbers((await runModel(graph, { x })).y), numbers((await runModel(bytes, { x })).y)];
    found.forEach((y, i) => expect(y).toBeCloseTo(expected[i]!, 6));
  });

  it("scales of Resize that a converter has narrowed to float16 with all else", async () => {
    const image = tensor("float16", [1, 1, 2, 2], [1, 2, 3, 5]);
    const file = (type: "float16" | "float32") =>
      smallModel({
        opset: 17,
        inputs: { x: ["float16", [1, 1, 2, 2]] },
        outputs: { y: "float16" },
        nodes: [node("Resize", "x - s", "y", { mode: { kind: "string", value: "linear" } })],
        initializers: { s: tensor(type, [4], [1, 1, 1.5, 2]) },
      });
    const [narrow, stated] = [await specialize(file("float16"), {}, evaluate), await specialize(file("float32"), {}, evaluate)];
    expect(await runModel(narrow, { x: image })).toEqual(await runModel(stated, { x: image }));
    expect([...gradientGraph(narrow).outputs.keys()]).toEqual(["y", "d.x"]);
  });
});

describe("the gradient of a gradient", () => {
  it.each(checkedLevels)("has names of its own, and second derivatives: y = x³ (%s)", async (level) => {
    const first = gradientGraph(await open("names/c9_gg"));
    const file = parseModel(writeModel(first.build()));
    const second = lower(gradientGraph(await specialize(file, {}, evaluate), { of: ["d.x"], wrt: ["x"] }), "cpu");
    expect(second.inputs.map((v) => v.name)).toEqual(["x", "v.y", "v.d.x"]);
    expect([...second.outputs.keys()]).toEqual(["y", "d.x", "d.x_1"]);
    const ones = floats(1, 1, 1, 1);
    const results = await runModel(second, { x: floats(1, 2, -3, 4), "v.y": ones, "v.d.x": ones }, level);
    expect(numbers(results.y)).toEqual([1, 8, -27, 64]);
    expect(numbers(results["d.x"])).toEqual([3, 12, 27, 48]);
    expect(numbers(results["d.x_1"])).toEqual([6, 12, -18, 24]);
  });
});

describe("constants", () => {
  it("a Range over operands of shape [1] is evaluated as ONNX Runtime does", async () => {
    const bytes = bytesOf("names/range1");
    const file = parseModel(bytes);
    const [{ name, shape }] = file.graph.inputs as readonly [ValueInfo];
    const x = tensor(
      "float32",
      shape!.map((d) => (typeof d === "number" ? d : 5)),
    );
    const graph = await specialize(file, { [name]: x.shape }, evaluate);
    expect(await runModel(graph, { [name]: x })).toEqual(await runModel(bytes, { [name]: x }));
  });

  const repeated = (nodes: Parameters<typeof smallModel>[0]["nodes"], initializers: Record<string, Tensor>) =>
    smallModel({ opset: 18, inputs: { x: ["float32", [64, 64]] }, outputs: { y: "float32" }, nodes, initializers });
  const int64 = (...values: number[]) => tensor("int64", [values.length], values);
  it.each([
    ["Expand", repeated([node("Expand", "w s", "e"), node("Add", "x e", "y")], { w: tensor("float32", [64]), s: int64(64, 64) })],
    ["Tile", repeated([node("Tile", "w s", "e"), node("Add", "x e", "y")], { w: tensor("float32", [64, 1]), s: int64(1, 64) })],
    ["ConstantOfShape", repeated([node("ConstantOfShape", "s", "e"), node("Add", "x e", "y")], { s: int64(64, 64) })],
    [
      "DequantizeLinear",
      repeated([node("DequantizeLinear", "w s", "e"), node("MatMul", "x e", "y")], {
        w: tensor("int8", [64, 64]),
        s: tensor("float32", [], [0.1]),
      }),
    ],
    [
      "Transpose, three of one weight that is read too",
      repeated(
        [
          node("Transpose", "w", "t"),
          node("Exp", "t", "a"),
          node("Neg", "t", "b"),
          ...["a", "b", "w"].map((name, i) => ({
            ...node("MatMul", `${i === 0 ? "x" : `m${i}`} ${name}`, i === 2 ? "y" : `m${i + 1}`),
            name: "",
          })),
        ],
        { w: tensor("float32", [64, 64]) },
      ),
    ],
  ])("never become larger than what they were made from: %s", async (_, model) => {
    const size = (initializers: Iterable<Tensor>) => [...initializers].reduce((sum, t) => sum + t.data.byteLength, 0);
    const graph = await specialize(model, {}, evaluate);
    expect(size(graph.build().graph.initializers.values())).toBeLessThanOrEqual(size(model.graph.initializers.values()));
    const feeds = {
      x: tensor(
        "float32",
        [64, 64],
        Array.from({ length: 4096 }, (_, i) => Math.sin(i)),
      ),
    };
    expect(numbers((await runModel(graph, feeds, "disabled")).y)).toEqual(numbers((await runModel(model, feeds, "disabled")).y));
  });
});

describe("a product that moves batch axes is taken apart", () => {
  it.each(checkedLevels)("com.microsoft.FusedMatMul with transBatchA (%s)", async (level) => {
    const graph = await open("fused_matmul_transbatch");
    const feeds = Object.fromEntries(
      graph.inputs.map(({ name, shape }) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return [
          name,
          tensor(
            "float32",
            shape,
            Array.from({ length: size }, (_, i) => Math.sin(i)),
          ),
        ];
      }),
    );
    const [actual, expected] = [await runModel(graph, feeds, level), await runModel(bytesOf("fused_matmul_transbatch"), feeds)];
    for (const [name, t] of Object.entries(expected)) {
      expect(actual[name]!.shape).toEqual(t.shape);
      numbers(actual[name]).forEach((v, i) => {
        expect(v).toBeCloseTo(Number(t.data[i]), 5);
      });
    }
    expect(gradientGraph(graph).outputs.size).toBeGreaterThan(1);
  });
});

describe("attributes of another kind, or none of the choices, are refused in one sentence with node, attribute and value", () => {
  it.each(readdirSync(`${folder}malformed`).map((file) => [file]))("%s", async (file) => {
    const failed = await open(`malformed/${file.replace(".onnx", "")}`).catch((error: unknown) => String(error));
    expect(failed).toMatch(
      /^ModelError: \w+( "[^"]+"| \(which makes "\w+"\)): its attribute \w+ is (of the kind \w+, where ONNX has \w+; export the model again\.$|"\w+", where it must be one of ("\w+", )+"\w+")/,
    );
    expect(failed).not.toContain("This follows from the given input shapes");
  });
});

describe("the hint to the given shapes stands only where sizes were given that the node depends on", () => {
  const model = (shape: (number | string)[]) =>
    smallModel({
      opset: 18,
      inputs: { x: ["float32", shape] },
      outputs: { y: "float32" },
      nodes: [node("Add", "x w", "y")],
      initializers: { w: tensor("float32", [1, 3]) },
    });
  it("given", async () => {
    await expect(specialize(model(["n", "m"]), { x: [1, 4] }, evaluate)).rejects.toThrow(
      /^Add "Add node": the shapes cannot be broadcast to each other .*This follows from the given input shapes/,
    );
  });
  it("given, but what is wrong is that a value is computed", async () => {
    const computed = smallModel({
      opset: 18,
      inputs: { x: ["float32", ["n"]], s: ["int64", [1]] },
      outputs: { y: "float32" },
      nodes: [node("Expand", "x s", "y")],
    });
    await expect(specialize(computed, { x: [1] }, evaluate)).rejects.toThrow(
      /must be constant, but "s" is computed at run time \([^)]*\)\. Nothing is computed before it/,
    );
  });
  it("fixed by the file", async () => {
    await expect(specialize(model([1, 4]), {}, evaluate)).rejects.toThrow(
      /cannot be broadcast to each other \(inputs: [^)]*\)\.$/,
    );
  });
});
