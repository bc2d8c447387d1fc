import { describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.js";
import { ModelError } from "./model.js";
import { parseModel } from "./read.js";
import { node, smallGraph, smallModel } from "./testing/small-model.js";
import { writeModel } from "./write.js";

/** score = Relu(x + w); beyond it an operator of a later opset, a type and a shape that nobody states, and an input of its own. */
const file = writeModel(
  smallModel({
    opset: 20,
    inputs: { x: ["float32", [2, "n"]], size: ["int64", ["k"]] },
    outputs: { kept: "float32", label: "float32" },
    nodes: [
      node("Add", "x w", "/head/sum"),
      node("Relu", "/head/sum", "/head/score"),
      node("StringSplit", "/head/score big", "parts"),
      node("com.nvidia.EfficientNMS_TRT", "parts size", "kept"),
      node("Identity", "/head/sum", "label"),
    ],
    initializers: { w: tensor("float32", [1], [2]), big: tensor("float32", [3]) },
  }),
);

describe("a model cut at values of its file", () => {
  it("has what leads there, and nothing beyond", () => {
    expect(() => parseModel(file)).toThrow(ModelError);
    const { graph } = parseModel(file, { outputs: ["/head/score"] });
    expect(graph.nodes.map((n) => n.op)).toEqual(["Add", "Relu"]);
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect([...graph.initializers.keys()]).toEqual(["w"]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["/head/score"]);
  });

  it("may be cut at several values, outputs among them", () => {
    const { graph } = parseModel(file, { outputs: ["label", "/head/sum"] });
    expect(graph.outputs.map(({ name }) => name)).toEqual(["label", "/head/sum"]);
    expect(graph.nodes.map((n) => n.op)).toEqual(["Add", "Identity"]);
  });

  it("says the nearest names where there is no such value", () => {
    expect(() => parseModel(file, { outputs: ["head/scores"] })).toThrow(
      'The model has no value "head/scores"; the nearest names are "/head/score".',
    );
    expect(() => parseModel(file, { outputs: ["nothing like it"] })).toThrow(
      'The model has no value "nothing like it"; its outputs are kept, label.',
    );
  });

  it("keeps what subgraphs on the way read from outside, and takes no value inside of one", () => {
    const branch = (op: string) => smallGraph({ inputs: {}, outputs: { b: "float32" }, nodes: [node(op, "outside", "b")] });
    const model = writeModel(
      smallModel({
        opset: 17,
        inputs: { x: ["float32", [2]], c: ["bool", []] },
        outputs: { y: "float32" },
        nodes: [
          node("Neg", "x", "outside"),
          node("If", "c", "chosen", {
            then_branch: { kind: "graph", value: branch("Relu") },
            else_branch: { kind: "graph", value: branch("Abs") },
          }),
          node("Exp", "chosen", "y"),
        ],
      }),
    );
    expect(parseModel(model, { outputs: ["chosen"] }).graph.nodes.map((n) => n.op)).toEqual(["Neg", "If"]);
    expect(() => parseModel(model, { outputs: ["b"] })).toThrow(/"b" lies inside a loop or branch/);
  });
});
