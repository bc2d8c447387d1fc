import { describe, expect, it } from "vitest";
import type { Graph } from "../graph/graph.js";
import type { OnnxModel, OnnxNode } from "../onnx/model.js";
import { Random } from "../tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { runModel } from "../testing/run-model.js";
import { foldBatchNormalization } from "./fold-batch-normalization.js";
import { specialize } from "./specialize.js";

const random = new Random(1);
const uniform = (shape: Shape, low = -1, high = 1): Tensor =>
  tensor(
    "float32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.uniform(low, high)),
  );
const ints = (...value: number[]) => ({ kind: "ints", value }) as const;
const int = (value: number) => ({ kind: "int", value }) as const;
const float = (value: number) => ({ kind: "float", value }) as const;

interface Layer {
  readonly op: string;
  readonly x: Shape;
  readonly y: Shape;
  readonly weight: Shape;
  readonly bias?: Shape;
  readonly attributes?: OnnxNode["attributes"];
}

/** layer, then BatchNormalization; `alsoRead` makes the layer's own output an output of the model. */
function modelOf({ op, x, y, weight, bias, attributes = {} }: Layer, alsoRead: "no" | "yes" = "no"): OnnxModel {
  const channels = y[1]!;
  const initializers = new Map([
    ["W", uniform(weight)],
    ["gamma", uniform([channels])],
    ["beta", uniform([channels])],
    ["mean", uniform([channels])],
    ["variance", uniform([channels], 0.2, 2)],
    ...(bias ? [["b", uniform(bias)] as const] : []),
  ]);
  const outputs = [{ name: "y", type: "float32" as const, shape: y }];
  return {
    irVersion: 8,
    opset: 18,
    customOpsets: {},
    producer: "",
    metadata: {},
    graph: {
      name: "g",
      inputs: [{ name: "x", type: "float32", shape: x }],
      outputs: alsoRead === "yes" ? [...outputs, { name: "h", type: "float32", shape: y }] : outputs,
      initializers,
      nodes: [
        { name: "", op, domain: "", inputs: bias ? ["x", "W", "b"] : ["x", "W"], outputs: ["h"], attributes },
        {
          name: "",
          op: "BatchNormalization",
          domain: "",
          inputs: ["h", "gamma", "beta", "mean", "variance"],
          outputs: ["y"],
          attributes: { epsilon: float(1e-3) },
        },
      ],
      valueInfo: new Map(),
    },
  };
}

const fix = (model: OnnxModel) => specialize(model, {}, (constants) => runModel(constants, {}), { keep: "weights" });
const ops = (graph: Graph) => graph.build().graph.nodes.map((n) => n.op);

describe("BatchNormalization folded into the layer before", () => {
  const layers: readonly (readonly [string, Layer])[] = [
    ["Conv", { op: "Conv", x: [2, 3, 5, 5], y: [2, 4, 3, 3], weight: [4, 3, 3, 3], bias: [4] }],
    [
      "Conv, groups, no bias",
      { op: "Conv", x: [1, 4, 5, 5], y: [1, 6, 5, 5], weight: [6, 2, 1, 1], attributes: { group: int(2) } },
    ],
    [
      "ConvTranspose",
      {
        op: "ConvTranspose",
        x: [1, 3, 4, 4],
        y: [1, 5, 8, 8],
        weight: [3, 5, 2, 2],
        bias: [5],
        attributes: { strides: ints(2, 2) },
      },
    ],
    [
      "ConvTranspose, groups",
      { op: "ConvTranspose", x: [1, 4, 4, 4], y: [1, 6, 5, 5], weight: [4, 3, 2, 2], attributes: { group: int(2) } },
    ],
    [
      "Gemm, alpha and beta",
      { op: "Gemm", x: [3, 4], y: [3, 5], weight: [4, 5], bias: [5], attributes: { alpha: float(0.5), beta: float(2) } },
    ],
    ["Gemm, transB, one bias", { op: "Gemm", x: [3, 4], y: [3, 5], weight: [5, 4], bias: [1], attributes: { transB: int(1) } }],
  ];
  it.each(layers)("%s", async (_, layer) => {
    const model = modelOf(layer);
    const folded = foldBatchNormalization(await fix(model)).build();
    expect(folded.graph.nodes.map((n) => n.op)).toEqual([layer.op]);
    expect([...folded.graph.initializers.keys()].every((name) => name.includes("_folded"))).toBe(true);
    const x = uniform(layer.x);
    const [a, b] = [await runModel(model, { x }, "disabled"), await runModel(folded, { x }, "disabled")];
    const [expected, actual] = [toNumbers(a.y!), toNumbers(b.y!)];
    expect(Math.max(...actual.map((v, i) => Math.abs(v - expected[i]!)))).toBeLessThan(2e-5);
  });
  it.each(layers)("with parameters as inputs of the graph: %s", async (_, layer) => {
    const model = modelOf(layer);
    const asInputs = ["W", "gamma", "mean"];
    const feeds = Object.fromEntries(asInputs.map((n) => [n, model.graph.initializers.get(n)!]));
    const opened = {
      ...model,
      graph: {
        ...model.graph,
        inputs: [...model.graph.inputs, ...asInputs.map((n) => ({ name: n, type: feeds[n]!.type, shape: feeds[n]!.shape }))],
        initializers: new Map([...model.graph.initializers].filter(([n]) => !asInputs.includes(n))),
      },
    };
    const folded = foldBatchNormalization(await fix(opened));
    expect(ops(folded)).not.toContain("BatchNormalization");
    const x = uniform(layer.x);
    const expected = toNumbers((await runModel(model, { x }, "disabled")).y!);
    for (const level of ["disabled", "all"] as const) {
      const actual = toNumbers((await runModel(folded, { x, ...feeds }, level)).y!);
      expect(Math.max(...actual.map((v, i) => Math.abs(v - expected[i]!)))).toBeLessThan(2e-5);
    }
  });
  it("leaves a layer whose second input is left out, such as Resize by scales", async () => {
    const { graph, ...rest } = modelOf({ op: "Resize", x: [1, 2, 3, 3], y: [1, 2, 6, 6], weight: [4], bias: [4] });
    const [resize, bn] = graph.nodes as [OnnxNode, OnnxNode];
    const initializers = new Map([...graph.initializers, ["W", tensor("float32", [4], [1, 1, 2, 2])]]);
    const model = { ...rest, graph: { ...graph, nodes: [{ ...resize, inputs: ["x", "", "W"] }, bn], initializers } };
    expect(ops(foldBatchNormalization(await fix(model)))).toEqual(["Resize", "BatchNormalization"]);
  });
  it("leaves a layer whose own output is read elsewhere, and one whose statistics are those of the batch", async () => {
    const shared = modelOf(layers[0]![1], "yes");
    expect(ops(foldBatchNormalization(await fix(shared)))).toEqual(["Conv", "BatchNormalization"]);
    const plain = modelOf(layers[0]![1]);
    const [conv, bn] = plain.graph.nodes as [OnnxNode, OnnxNode];
    const training = {
      ...plain,
      graph: { ...plain.graph, nodes: [conv, { ...bn, attributes: { ...bn.attributes, training_mode: int(1) } }] },
    };
    // training mode is taken apart on reading
    const taken = await fix(training);
    expect(ops(foldBatchNormalization(taken))).toEqual(ops(taken));
    expect(ops(taken)).not.toContain("BatchNormalization");
  });
});
