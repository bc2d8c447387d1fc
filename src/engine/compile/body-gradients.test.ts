import { describe, expect, it } from "vitest";
import { gradientGraph, tangentGraph } from "../autodiff/gradient-graph.js";
import { int } from "../onnx/attribute-values.js";
import type { Attribute, OnnxNode } from "../onnx/model.js";
import { parseModel } from "../onnx/read.js";
import { type SmallModel, smallGraph, smallModel, node as unnamed } from "../onnx/testing/small-model.js";
import { writeModel } from "../onnx/write.js";
import { Random } from "../tensor/random.js";
import { type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import { differencesFromFile } from "../testing/original-case.js";
import { inType } from "../testing/retyped.js";
import { checkedLevels, runModel } from "../testing/run-model.js";
import { specialize } from "./specialize.js";

const node: typeof unnamed = (op, inputs, outputs, attributes) => ({
  ...unnamed(op, inputs, outputs, attributes),
  name: outputs,
});
const body = (graph: Omit<SmallModel, "opset">): Attribute => ({ kind: "graph", value: smallGraph(graph) });
const branch = (outputs: string, ...nodes: OnnxNode[]): Attribute =>
  body({ inputs: {}, outputs: Object.fromEntries(outputs.split(" ").map((name) => [name, "float32"])), nodes });
const cast = { to: int(1) };
const keepsOn = node("Identity", "going", "still");
const turn = { i: ["int64", []], going: ["bool", []], s: ["float32", [2, 3]] } as const;
const turned = { still: "bool", next: "float32" } as const;
const limit = tensor("float32", [], [6]);

/** y = c ? sin(x) w : x, and what another branch leaves out */
const chosen: SmallModel = {
  opset: 12,
  inputs: { x: ["float32", [2, 3]], c: ["bool", []] },
  outputs: { y: "float32", z: "float32" },
  nodes: [
    node("Exp", "x", "w"),
    node("If", "c", "t z", {
      then_branch: branch("r q", node("Sin", "x", "p"), node("Mul", "p w", "r"), node("Mul", "w w", "q")),
      else_branch: branch("r2 q2", node("Identity", "x", "r2"), node("Cos", "w", "q2")),
    }),
    node("Mul", "t w", "y"),
  ],
};

/** s ← tanh(s w + i), as often as an input says; another names say the same of the body as of the graph */
const counted: SmallModel = {
  opset: 18,
  inputs: { x: ["float32", [2, 3]], n: ["int64", []] },
  outputs: { y: "float32" },
  initializers: { yes: tensor("bool", [], [1]) },
  nodes: [
    node("Sin", "x", "w"),
    node("Loop", "n yes x", "y", {
      body: body({
        inputs: turn,
        outputs: turned,
        nodes: [
          keepsOn,
          node("Cast", "i", "f", cast),
          node("Mul", "s w", "p"),
          node("Add", "p f", "counter"),
          node("Tanh", "counter", "next"),
        ],
      }),
    }),
  ],
};

/** s ← 1.5 s + sin(s) x until its norm reaches 6, with a counter beside; no limit of turns */
const growing: SmallModel = {
  opset: 17,
  inputs: { x: ["float32", [2, 3]] },
  outputs: { y: "float32", k: "int64" },
  initializers: { yes: tensor("bool", [], [1]), zero: tensor("int64", [], [0]) },
  nodes: [
    node("Loop", "- yes x zero", "y k", {
      body: body({
        inputs: { ...turn, count: ["int64", []] },
        outputs: { ...turned, more: "int64" },
        initializers: { limit, factor: tensor("float32", [], [1.5]), one: tensor("int64", [], [1]) },
        nodes: [
          node("Add", "count one", "more"),
          node("Sin", "s", "a"),
          node("Mul", "a x", "b"),
          node("Mul", "s factor", "d"),
          node("Add", "b d", "next"),
          node("ReduceL2", "next", "norm", { keepdims: int(0) }),
          node("Less", "norm limit", "still"),
        ],
      }),
    }),
  ],
};

/** a branch in each turn */
const nested: SmallModel = {
  ...counted,
  nodes: [
    node("Loop", "n yes x", "y", {
      body: body({
        inputs: turn,
        outputs: turned,
        initializers: { limit: tensor("float32", [], [0.2]) },
        nodes: [
          keepsOn,
          node("ReduceMean", "s", "m", { keepdims: int(0) }),
          node("Greater", "m limit", "c"),
          node("If", "c", "next", {
            then_branch: branch("r", node("Sin", "s", "r")),
            else_branch: branch("r2", node("Cos", "s", "t"), node("Mul", "t x", "r2")),
          }),
        ],
      }),
    }),
  ],
};

const x = tensor("float32", [2, 3], [0.3, -0.7, 1.1, 0.6, -0.2, 0.9]);
const times = (n: number) => ({ x, n: tensor("int64", [], [n]) });
const cases: readonly (readonly [string, SmallModel, Readonly<Record<string, Tensor>>])[] = [
  ["an If, taken", chosen, { x, c: tensor("bool", [], [1]) }],
  ["an If, not taken", chosen, { x, c: tensor("bool", [], [0]) }],
  ...[0, 1, 4].map((n) => [`a Loop of ${n} turns`, counted, times(n)] as const),
  ["a Loop that ends by its condition", growing, { x }],
  ["an If in a Loop", nested, times(3)],
];

describe.each(checkedLevels)("what is decided when the model runs has a gradient, optimization %s", (level) => {
  it.each(cases)("%s", async (name, model, feeds) => {
    const bytes = writeModel(smallModel(model));
    expect(await differencesFromFile(bytes, feeds, level, { random: new Random(1, name), step: 3e-3 })).toEqual([]);
  });
});

it.each(cases)("forward mode is its transpose: %s", async (_, model, feeds) => {
  const graph = await specialize(parseModel(writeModel(smallModel(model))), {}, (constants) => runModel(constants, {}));
  const [u, v] = [tensor("float32", [2, 3], [1, -2, 0.5, 0.3, 0.8, -1]), tensor("float32", [2, 3], [0.4, 1, -0.6, 2, -1.5, 0.1])];
  const back = await runModel(gradientGraph(graph, { of: ["y"] }), { ...feeds, "v.y": v });
  const forth = await runModel(tangentGraph(graph, { of: ["y"] }), { ...feeds, "t.x": u });
  const dot = (a: Tensor, b: Tensor) => toNumbers(a).reduce((sum, value, i) => sum + value * toNumbers(b)[i]!, 0);
  expect(dot(back["d.x"]!, u)).toBeCloseTo(dot(forth["t.y"]!, v), 4);
});

/** The same chain of quantized values, on its way through a branch or a loop, and without. */
const quantized = (way: "branch" | "loop" | "none"): SmallModel => ({
  opset: 18,
  inputs: { x: ["float32", [2, 3]], c: ["bool", []], n: ["int64", []] },
  outputs: { y: "float32" },
  initializers: {
    scale: tensor("float32", [], [0.02]),
    zero: tensor("uint8", [], [100]),
    yes: tensor("bool", [], [1]),
    high: tensor("uint8", [], [140]),
  },
  nodes: [
    node("QuantizeLinear", "x scale zero", "q"),
    ...(way === "none" ? [node("Min", "q high", "r")] : []),
    ...(way === "branch"
      ? [
          node("If", "c", "r", {
            then_branch: body({ inputs: {}, outputs: { a: "uint8" }, nodes: [node("Min", "q high", "a")] }),
            else_branch: body({ inputs: {}, outputs: { b: "uint8" }, nodes: [node("Identity", "q", "b")] }),
          }),
        ]
      : []),
    ...(way === "loop"
      ? [
          node("Loop", "n yes q", "r", {
            body: body({
              inputs: { ...turn, s: ["uint8", [2, 3]] },
              outputs: { still: "bool", next: "uint8" },
              nodes: [keepsOn, node("Min", "s high", "next")],
            }),
          }),
        ]
      : []),
    node("DequantizeLinear", "r scale zero", "d"),
    node("Sin", "d", "y"),
  ],
});

it.each(["branch", "loop"] as const)("quantized values have a gradient through a %s", async (way) => {
  const feeds = { x, c: tensor("bool", [], [1]), n: tensor("int64", [], [2]) };
  const gradientOf = async (model: SmallModel) => {
    const graph = await specialize(parseModel(writeModel(smallModel(model))), {}, (constants) => runModel(constants, {}));
    return toNumbers((await runModel(gradientGraph(graph), { ...feeds, "v.y": x }))["d.x"]!);
  };
  const expected = await gradientOf(quantized("none"));
  expect(expected.filter((v) => v !== 0).length).toBeGreaterThan(2);
  expect(await gradientOf(quantized(way))).toEqual(expected);
});

/** What a loop stacks in each turn, and the shape that the file states for it. */
const stacking = (shape?: readonly number[]) => {
  const file = smallModel({
    ...counted,
    outputs: { y: "float32", all: "float32" },
    nodes: [
      node("Loop", "n yes x", "y all", {
        body: body({
          inputs: turn,
          outputs: { ...turned, row: "float32" },
          nodes: [keepsOn, node("Sin", "s", "p"), node("Mul", "p x", "next"), node("Mul", "next s", "row")],
        }),
      }),
    ],
  });
  const outputs = file.graph.outputs.map((o) => (o.name === "all" && shape ? { ...o, shape } : o));
  return { ...file, graph: { ...file.graph, outputs } };
};
const fixed = (file: ReturnType<typeof smallModel>) => specialize(file, {}, (constants) => runModel(constants, {}));

describe.each(checkedLevels)(
  "what a loop stacks has a gradient where the file states how many entries, optimization %s",
  (level) => {
    it.each([0, 1, 3])("%i", async (n) => {
      const bytes = writeModel(stacking([n, 2, 3]));
      expect(await differencesFromFile(bytes, times(n), level, { random: new Random(1, "stacked"), step: 3e-3 })).toEqual([]);
    });
  },
);

it("asks for the shape of what a loop stacks where the file does not state it, or states another", async () => {
  for (const file of [stacking(), stacking([3, 3, 2])])
    await expect(fixed(file)).rejects.toThrow(
      /Loop "y all": how many entries "all" has, one for each turn, is known at run time only; export the model with a fixed number of turns, or state the shape of "all" in the file/,
    );
});

it("a loop that does not turn stacks nothing", async () => {
  const file = stacking();
  const initializers = new Map([...file.graph.initializers, ["n", tensor("int64", [], [0])] as const]);
  const graph = await fixed({ ...file, graph: { ...file.graph, inputs: file.graph.inputs.slice(0, 1), initializers } });
  const { all, y } = await runModel(graph, { x });
  expect([all!.shape, toNumbers(y!)]).toEqual([[0, 2, 3], toNumbers(x)]);
});

it("branches of two shapes are named", async () => {
  const file = smallModel({
    opset: 18,
    inputs: { x: ["float32", [2, 3]], c: ["bool", []] },
    outputs: { y: "float32" },
    initializers: { rows: tensor("int64", [1], [0]) },
    nodes: [
      node("If", "c", "y", {
        then_branch: branch("a", node("Sin", "x", "a")),
        else_branch: branch("b", node("ReduceSum", "x rows", "b")),
      }),
    ],
  });
  const sentence = /its branches make float32\[2, 3\] and float32\[1, 3\], and which is taken is known at run time only/;
  await expect(fixed(file)).rejects.toThrow(sentence);
  const stated = { ...file, graph: { ...file.graph, outputs: [{ ...file.graph.outputs[0]!, shape: [2, 3] }] } };
  const graph = await fixed(stated);
  expect(toNumbers((await runModel(graph, { x, c: tensor("bool", [], [1]) })).y!)).toEqual(
    toNumbers(x).map((v) => expect.closeTo(Math.sin(v), 5)),
  );
  expect(() => gradientGraph(graph)).toThrow(sentence);
});

/** A branch in which types depend on data, beside one that they do not. */
const picking = (opset: number, ...more: OnnxNode[]) => {
  const file = smallModel({
    opset,
    inputs: { x: ["float32", [2, 3]], c: ["bool", []] },
    outputs: { y: "float32" },
    initializers: { zero: tensor("float32", [], [0]) },
    nodes: [
      node("If", "c", "y", {
        then_branch: branch(
          "a",
          node("Greater", "x zero", "m"),
          node("NonZero", "m", "p"),
          node("Transpose", "p", "i"),
          node("GatherND", "x i", "v"),
          ...more,
          node("ReduceSum", "v", "a", { keepdims: int(0) }),
        ),
        else_branch: branch("b", node("ReduceSum", "x", "b", { keepdims: int(0) })),
      }),
    ],
  });
  return { ...file, graph: { ...file.graph, outputs: [{ ...file.graph.outputs[0]!, shape: [] }] } };
};

it.each([13, 18, 21, 24])("a branch in which types depend on data stays, opset %i", async (opset) => {
  const graph = await fixed(picking(opset));
  for (const c of [0, 1]) {
    const feeds = { x, c: tensor("bool", [], [c]) };
    expect(await runModel(graph, feeds)).toEqual(await runModel(writeModel(picking(opset)), feeds));
  }
  expect(() => gradientGraph(graph)).toThrow(/the types in its body depend on data/);
});

it("says which node of such a branch opset 18 does not have", async () => {
  await expect(fixed(picking(20, node("Gelu", "v", "w")))).rejects.toThrow(
    /If "y": inside it, types depend on data \(NonZero "p": .*\), and so its Gelu "w" of opset 20 cannot be written in opset 18; export the model with opset 18/,
  );
});

/** A branch and a loop behind it, in an element type. */
const inElements = (type: "float32" | "float16"): SmallModel => ({
  opset: 18,
  inputs: { x: [type, [2, 3]], c: ["bool", []], n: ["int64", []] },
  outputs: { y: type },
  initializers: { yes: tensor("bool", [], [1]) },
  nodes: [
    node("If", "c", "t", {
      then_branch: body({ inputs: {}, outputs: { a: type }, nodes: [node("Sin", "x", "a")] }),
      else_branch: body({ inputs: {}, outputs: { b: type }, nodes: [node("Identity", "x", "b")] }),
    }),
    node("Loop", "n yes t", "y", {
      body: body({
        inputs: { ...turn, s: [type, [2, 3]] },
        outputs: { still: "bool", next: type },
        nodes: [keepsOn, node("Mul", "s x", "m"), node("Tanh", "m", "next")],
      }),
    }),
  ],
});

it.each(checkedLevels)("float16 passes as float32 does, optimization %s", async (level) => {
  const gradientIn = async (type: "float32" | "float16", c: number) => {
    const fed = inType(x, type);
    const feeds = { x: fed, c: tensor("bool", [], [c]), n: tensor("int64", [], [2]), "v.y": fed };
    return toNumbers((await runModel(gradientGraph(await fixed(smallModel(inElements(type)))), feeds, level))["d.x"]!);
  };
  for (const c of [0, 1]) {
    const expected = await gradientIn("float32", c);
    expect(await gradientIn("float16", c)).toEqual(expected.map((v) => expect.closeTo(v, 2)));
  }
});
