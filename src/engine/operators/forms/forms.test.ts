import { describe, expect, it } from "vitest";
import { specialize } from "../../compile/specialize.js";
import { float, int, text } from "../../onnx/attribute-values.js";
import { ModelError, type OnnxNode } from "../../onnx/model.js";
import { parseModel } from "../../onnx/read.js";
import { feedsOf, node, smallModel } from "../../onnx/testing/small-model.js";
import { writeModel } from "../../onnx/write.js";
import { Random } from "../../tensor/random.js";
import { type Tensor, tensor, toNumbers } from "../../tensor/tensor.js";
import { runModel } from "../../testing/run-model.js";
import { conversionCases } from "./cases.js";

const open = (file: Uint8Array, feeds: Readonly<Record<string, Tensor>> = {}) => {
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
  return specialize(parseModel(file), shapes, (constants) => runModel(constants, {}, "disabled"));
};

describe("converted models compute what the original does", () => {
  it.each(conversionCases.map((c) => [c.name, c] as const))("%s", async (name, c) => {
    const model = smallModel(c);
    const original = writeModel(model);
    const feeds = feedsOf(model, new Random(1, name));
    const converted = (await open(original, feeds)).build();
    const left = converted.graph.nodes.map(({ op }) => op);
    for (const op of c.gone ?? []) expect(left).not.toContain(op);
    const before = await runModel(original, feeds, "disabled");
    const after = await runModel(writeModel(converted, { opset: 18 }), feeds, "disabled");
    const tolerance = c.tolerance ?? 1e-6;
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const [output, expected] of Object.entries(before)) {
      const actual = after[output]!;
      expect([actual.type, actual.shape]).toEqual([expected.type, expected.shape]);
      const want = toNumbers(expected);
      for (const [i, value] of toNumbers(actual).entries()) {
        expect(Math.abs(value - want[i]!), `${output}[${i}]`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(want[i]!)));
      }
    }
  });
});

it.each([6, 25])("a model of opset %d is refused", (opset) => {
  const model = smallModel({
    opset,
    inputs: { x: ["float32", [2]] },
    outputs: { y: "float32" },
    nodes: [node("Relu", "x", "y")],
  });
  expect(() => parseModel(writeModel(model))).toThrow(
    new ModelError(`The model is written for opset ${opset}, and Faultline reads 7 to 24; export it with opset 18.`),
  );
});

/** [opset, node, message] */
const refused: readonly (readonly [number, OnnxNode, string])[] = [
  [12, node("Upsample", "x x", "y"), 'Upsample "Upsample node": it was replaced by Resize in opset 10; export the model again'],
  [
    20,
    node("ImageDecoder", "x", "y"),
    'ImageDecoder "ImageDecoder node": it works on images in files or on texts, and Faultline works on numbers',
  ],
  [9, node("Cast", "x", "y", { to: int(8) }), 'Cast "Cast node": it casts to string, which Faultline does not work on'],
  [
    8,
    node("Scan", "- x", "y"),
    'Scan "Scan node" of opset 8 scans a batch, which opset 9 and above do not; export the model again.',
  ],
  [
    13,
    node("com.microsoft.FusedConv", "x x", "y", { activation: text("Swish"), activation_params: { kind: "floats", value: [] } }),
    'FusedConv "FusedConv node": its attribute activation is "Swish", where it must be one of "", "Relu", "Sigmoid"',
  ],
];

describe("what has no equal in opset 18 is refused in one sentence", () => {
  it.each(refused.map(([opset, n, message]) => [`${n.op} of opset ${opset}`, opset, n, message] as const))(
    "%s",
    async (_, opset, n, message) => {
      const file = writeModel(
        smallModel({
          opset,
          inputs: { x: ["float32", [1, 4, 6, 5]] },
          outputs: { y: "float32" },
          nodes: [n],
          initializers: { p: tensor("int64", [8]) },
        }),
      );
      await expect(open(file)).rejects.toThrow(message);
    },
  );

  it("BatchNormalization whose training outputs are read", async () => {
    const file = writeModel(
      smallModel({
        opset: 9,
        inputs: { x: ["float32", [1, 2, 3]], s: ["float32", [2]] },
        outputs: { y: "float32", m: "float32" },
        nodes: [node("BatchNormalization", "x s s s s", "y m", { epsilon: float(1e-3) })],
      }),
    );
    await expect(open(file)).rejects.toThrow("a training statistic that it makes is read; export the model in eval mode");
  });
});
