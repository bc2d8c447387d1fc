import { describe, expect, it } from "vitest";
import { Random } from "../../tensor/random.js";
import { tensor, toNumbers } from "../../tensor/tensor.js";
import { runModel } from "../../testing/run-model.js";
import { ModelError, type OnnxNode } from "../model.js";
import { parseModel } from "../read.js";
import { feedsOf, node, smallModel } from "../testing/small-model.js";
import { writeModel } from "../write.js";
import { conversionCases } from "./cases.js";
import { float, int, text } from "./conversion.js";

describe("converted models compute what the original does", () => {
  it.each(conversionCases.map((c) => [c.name, c] as const))("%s", async (name, c) => {
    const model = smallModel(c);
    const original = writeModel(model);
    const converted = parseModel(original);
    expect(converted.opset).toBe(18);
    const left = converted.graph.nodes.map(({ op }) => op);
    for (const op of c.gone ?? []) expect(left).not.toContain(op);
    const feeds = feedsOf(model, new Random(1, name));
    const before = await runModel(original, feeds, "disabled");
    const after = await runModel(writeModel(converted), feeds, "disabled");
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

/** [opset, node, message] */
const refused: readonly (readonly [number, OnnxNode, string])[] = [
  [6, node("Relu", "x", "y"), "The model is written for opset 6, and Faultline reads 7 to 24; export it with opset 18."],
  [25, node("Relu", "x", "y"), "The model is written for opset 25, and Faultline reads 7 to 24; export it with opset 18."],
  [
    12,
    node("Upsample", "x x", "y"),
    'Upsample "Upsample node" of opset 12 was replaced by Resize in opset 10; export the model again.',
  ],
  [
    20,
    node("ImageDecoder", "x", "y"),
    'ImageDecoder "ImageDecoder node" of opset 20 has no form in opset 18; export the model with opset 18.',
  ],
  [9, node("Cast", "x", "y", { to: int(8) }), 'Cast "Cast node" of opset 9 casts to string, which Faultline does not work on.'],
  [
    8,
    node("Scan", "- x", "y"),
    'Scan "Scan node" of opset 8 scans a batch, which opset 9 and above do not; export the model again.',
  ],
  [
    13,
    node("com.microsoft.FusedConv", "x x", "y", { activation: text("Swish"), activation_params: { kind: "floats", value: [] } }),
    'com.microsoft.FusedConv "FusedConv node" of opset 1 ends in the activation "Swish", which Faultline does not know there.',
  ],
];

describe("what has no equal in opset 18 is refused in one sentence", () => {
  it.each(refused.map(([opset, n, message]) => [`${n.op} of opset ${opset}`, opset, n, message] as const))(
    "%s",
    (_, opset, n, message) => {
      const file = writeModel(
        smallModel({
          opset,
          inputs: { x: ["float32", [1, 4, 6, 5]] },
          outputs: { y: "float32" },
          nodes: [n],
          initializers: { p: tensor("int64", [8]) },
        }),
      );
      expect(() => parseModel(file)).toThrow(new ModelError(message));
    },
  );

  it("BatchNormalization whose training outputs are read", () => {
    const file = writeModel(
      smallModel({
        opset: 9,
        inputs: { x: ["float32", [1, 2, 3]], s: ["float32", [2]] },
        outputs: { y: "float32", m: "float32" },
        nodes: [node("BatchNormalization", "x s s s s", "y m", { epsilon: float(1e-3) })],
      }),
    );
    expect(() => parseModel(file)).toThrow(
      'makes the training statistic "m", which inference does not; export the model in eval mode.',
    );
  });
});
