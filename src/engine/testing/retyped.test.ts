import { expect, it } from "vitest";
import { gradientGraph } from "../autodiff/gradient-graph.js";
import { specialize } from "../compile/specialize.js";
import { Graph } from "../graph/graph.js";
import type { Attribute, OnnxNode } from "../onnx/model.js";
import { type SmallModel, smallGraph, smallModel, node as unnamed } from "../onnx/testing/small-model.js";
import { isFloat, tensor, toNumbers } from "../tensor/tensor.js";
import { retyped } from "./retyped.js";
import { runModel } from "./run-model.js";

const node: typeof unnamed = (op, inputs, outputs, attributes) => ({
  ...unnamed(op, inputs, outputs, attributes),
  name: outputs,
});
const body = (graph: Omit<SmallModel, "opset">): Attribute => ({ kind: "graph", value: smallGraph(graph) });
const branch = (output: string, ...nodes: OnnxNode[]): Attribute => body({ inputs: {}, outputs: { [output]: "float32" }, nodes });

/** y = c ? tanh(x w) : 0.5 x, then as often as n says s ← tanh(0.5 s w) */
const file = smallModel({
  opset: 18,
  inputs: { x: ["float32", [2, 3]], c: ["bool", []], n: ["int64", []] },
  outputs: { y: "float32" },
  initializers: { yes: tensor("bool", [], [1]), half: tensor("float32", [], [0.5]) },
  nodes: [
    node("Exp", "x", "w"),
    node("If", "c", "t", {
      then_branch: branch("r", node("Mul", "x w", "p"), node("Tanh", "p", "r")),
      else_branch: branch("q", node("Mul", "x half", "q")),
    }),
    node("Loop", "n yes t", "y", {
      body: body({
        inputs: { i: ["int64", []], going: ["bool", []], s: ["float32", [2, 3]] },
        outputs: { still: "bool", next: "float32" },
        nodes: [
          node("Identity", "going", "still"),
          node("Mul", "s w", "f"),
          node("Mul", "f half", "g"),
          node("Tanh", "g", "next"),
        ],
      }),
    }),
  ],
});

/** The element types of all floating-point values of a graph, bodies included. */
const typesOf = (graph: Graph): Set<string> =>
  new Set([
    ...[...graph.values.values()].flatMap(({ type }) => (isFloat(type) ? [type] : [])),
    ...graph.nodes.flatMap(({ attributes }) =>
      Object.values(attributes).flatMap((a) => (a instanceof Graph ? [...typesOf(a)] : [])),
    ),
  ]);

it("follows branches and loops into their bodies, and so do gradients", async () => {
  const single = await specialize(file, {}, (constants) => runModel(constants, {}));
  const { graph: double } = retyped(single, "float64");
  expect([...typesOf(single)]).toEqual(["float32"]);
  expect([...typesOf(double)]).toEqual(["float64"]);
  const numbers = [0.4, -0.7, 0.2, 1.1, -0.3, 0.6];
  for (const c of [0, 1]) {
    const run = async (graph: Graph, type: "float32" | "float64") => {
      const given = {
        x: tensor(type, [2, 3], numbers),
        "v.y": tensor(
          type,
          [2, 3],
          numbers.map((v) => 1 - v),
        ),
      };
      const out = await runModel(gradientGraph(graph), { ...given, c: tensor("bool", [], [c]), n: tensor("int64", [], [2]) });
      expect([out.y!.type, out["d.x"]!.type]).toEqual([type, type]);
      return [...toNumbers(out.y!), ...toNumbers(out["d.x"]!)];
    };
    const exact = await run(double, "float64");
    expect(await run(single, "float32")).toEqual(exact.map((v) => expect.closeTo(v, 5)));
    // float64 all through: rounding to float32 anywhere would show in the eighth digit
    expect(exact.some((v) => Math.fround(v) !== v)).toBe(true);
  }
});
