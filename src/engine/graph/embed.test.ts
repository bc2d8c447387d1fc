import { describe, expect, it } from "vitest";
import { specialize } from "../compile/specialize.js";
import type { OnnxModel, OnnxNode } from "../onnx/model.js";
import { tensor } from "../tensor/tensor.js";
import { runModel } from "../testing/run-model.js";
import { embed } from "./embed.js";
import { Graph } from "./graph.js";

const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: OnnxNode["attributes"] = {},
): OnnxNode => ({
  name: "the same name",
  op,
  domain: "",
  inputs,
  outputs,
  attributes,
});
function modelOf(...nodes: readonly OnnxNode[]): OnnxModel {
  const float = (name: string) => ({ name, type: "float32", shape: [2] }) as const;
  return {
    irVersion: 8,
    opset: 18,
    customOpsets: {},
    producer: "",
    metadata: {},
    graph: {
      name: "g",
      inputs: [float("x"), { name: "c", type: "bool", shape: [] }],
      outputs: [float("y")],
      initializers: new Map([["w", tensor("float32", [2], [3, 4])]]),
      nodes,
      valueInfo: new Map(),
    },
  };
}

const fix = (model: OnnxModel) => specialize(model, {}, (constants) => runModel(constants, {}));

describe("embed", () => {
  it("puts models together whose nodes and values have the same names", async () => {
    const model = await fix(modelOf(node("Mul", ["x", "w"], ["h"]), node("Neg", ["h"], ["y"])));
    const graph = new Graph();
    const x = graph.input("x", "float32", [2]);
    const c = graph.input("c", "bool", []);
    const first = embed(graph, model, { x, c }).outputs.y!;
    graph.output("z", embed(graph, model, { x: first, c }).outputs.y!);
    const { z } = await runModel(graph, { x: tensor("float32", [2], [1, 2]), c: tensor("bool", [], [1]) });
    expect(z).toEqual(tensor("float32", [2], [9, 32]));
  });
  it("carries a branch that is taken at run time and reads values from outside", async () => {
    const branch = (op: string) => ({
      kind: "graph" as const,
      value: {
        name: op,
        inputs: [],
        outputs: [{ name: op, type: "float32" as const, shape: [2] }],
        initializers: new Map(),
        nodes: [node(op, ["h"], [op])],
        valueInfo: new Map(),
      },
    });
    const decided = node("If", ["c"], ["y"], { then_branch: branch("Neg"), else_branch: branch("Abs") });
    const model = await fix(modelOf(node("Mul", ["x", "w"], ["h"]), decided));
    const graph = new Graph();
    // a value called as one that the branches define
    const x = graph.input("Neg", "float32", [2]);
    const c = graph.input("c", "bool", []);
    const first = embed(graph, model, { x, c }).outputs.y!;
    graph.output("z", embed(graph, model, { x: first, c }).outputs.y!);
    for (const [taken, z] of [
      [1, [-9, 32]],
      [0, [9, 32]],
    ] as const) {
      const feeds = { Neg: tensor("float32", [2], [-1, 2]), c: tensor("bool", [], [taken]) };
      expect((await runModel(graph, feeds)).z).toEqual(tensor("float32", [2], [...z]));
    }
  });
});
