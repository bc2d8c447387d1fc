import { describe, expect, it } from "vitest";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { identity, sigmoid, softmax, transpose } from "../../engine/operators/index.js";
import { parseModelSpec } from "./model-spec.js";
import { postprocess } from "./splice.js";

/** Operators that are left of a model `end(logits)` and its postprocessing. */
function operators(channels: number, output: object, end: (z: Value) => Value): string[] {
  const graph = new Graph();
  const spec = parseModelSpec({ task: "segmentation", output });
  graph.output("y", postprocess([end(graph.input("z", "float32", [1, channels, 4, 4]))], spec, [4, 4]));
  return graph.build().graph.nodes.map((n) => n.op);
}

describe("probabilities become logits", () => {
  it("by taking the model's own before its last Sigmoid or Softmax", () => {
    expect(operators(1, { meaning: "binary-probabilities" }, sigmoid)).toEqual(["Mul", "Mul", "Concat"]);
    expect(operators(1, { meaning: "binary-probabilities" }, (z) => identity(sigmoid(z)))).toEqual(["Mul", "Mul", "Concat"]);
    expect(operators(3, { meaning: "probabilities" }, (z) => softmax(z, -3))).toEqual(["Identity"]);
    const last = (z: Value) => softmax(transpose(z, [0, 2, 3, 1]), 3);
    expect(operators(3, { meaning: "probabilities", layout: "nhwc" }, last).sort()).toEqual(["Transpose", "Transpose"]);
  });

  it("by the logarithm where the activation is not the last operator, or runs over another axis", () => {
    expect(operators(3, { meaning: "probabilities" }, (z) => softmax(z, 2))).toContain("Log");
    expect(operators(1, { meaning: "binary-probabilities" }, (z) => z)).toContain("Log");
  });
});
