import { describe, expect, it } from "vitest";
import { tensor, toNumbers } from "../tensor/tensor.js";
import { runModel } from "../testing/run-model.js";
import { parseModel } from "./read.js";
import type { Messages } from "./schema.js";
import { encode } from "./wire.js";
import { writeModel } from "./write.js";

type Attribute = Messages["Attribute"];

const opset = [
  { domain: "", version: 18 },
  { domain: "own", version: 1 },
];
const float = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 }] } } };
const alpha = (f: number): Attribute => ({ name: "alpha", type: 1, f });

function file(functions: Messages["Function"][], node: Messages["Node"][]): Uint8Array {
  return encode("Model", {
    irVersion: 8,
    opsetImport: opset,
    functions,
    graph: { name: "g", node, input: [{ name: "x", type: float }], output: [{ name: "y", type: float }] },
  });
}

/** leak(a; alpha, default 0.5) = LeakyRelu(a; alpha), and twice(a; slope) = leak(leak(a; slope) - 1). */
const leak: Messages["Function"] = {
  name: "leak",
  domain: "own",
  input: ["a"],
  output: ["b"],
  attributeProto: [alpha(0.5)],
  opsetImport: opset,
  node: [
    {
      name: "n",
      opType: "LeakyRelu",
      input: ["a"],
      output: ["b"],
      attribute: [{ name: "alpha", type: 1, refAttrName: "alpha" }],
    },
  ],
};
const twice: Messages["Function"] = {
  name: "twice",
  domain: "own",
  input: ["a", "unused"],
  output: ["b"],
  attribute: ["slope"],
  opsetImport: opset,
  node: [
    { opType: "leak", domain: "own", input: ["a"], output: ["t"], attribute: [{ name: "alpha", type: 1, refAttrName: "slope" }] },
    { opType: "Constant", output: ["one"], attribute: [{ name: "value_float", type: 1, f: 1 }] },
    { opType: "Sub", input: ["t", "one"], output: ["u"] },
    { opType: "leak", domain: "own", input: ["u"], output: ["b"] },
  ],
};

async function check(bytes: Uint8Array, expected: readonly number[]): Promise<string[]> {
  const model = parseModel(bytes);
  const x = tensor("float32", [2], [-4, 8]);
  expect(toNumbers((await runModel(bytes, { x }, "disabled")).y!)).toEqual(expected);
  expect(toNumbers((await runModel(writeModel(model), { x }, "disabled")).y!)).toEqual(expected);
  return model.graph.nodes.map(({ op }) => op);
}

describe("functions are inlined", () => {
  it("with attributes of the call, defaults, and calls within calls", async () => {
    const call = (input: string, output: string) => ({
      name: `call of ${input}`,
      opType: "twice",
      domain: "own",
      input: [input],
      output: [output],
      attribute: [{ name: "slope", type: 1, f: 0.25 }],
    });
    // twice(-4) = leak(-1 - 1) = -1 and leak(-0.25 - 1) = -0.625; twice(8) = 7, then 6.
    const ops = await check(file([leak, twice], [call("x", "m"), call("m", "y")]), [-0.625, 6]);
    expect(ops.filter((op) => op !== "Constant")).toEqual(["LeakyRelu", "Sub", "LeakyRelu", "LeakyRelu", "Sub", "LeakyRelu"]);
  });

  it("with subgraphs that reach for names of the body", async () => {
    const branch = (op: string): Messages["Graph"] => ({
      name: op,
      node: [{ opType: op, input: ["t"], output: ["r"] }],
      output: [{ name: "r", type: float }],
    });
    const choose: Messages["Function"] = {
      name: "choose",
      domain: "own",
      input: ["a"],
      output: ["b"],
      opsetImport: opset,
      node: [
        { opType: "Neg", input: ["a"], output: ["t"] },
        { opType: "ReduceSum", input: ["t"], output: ["s"], attribute: [{ name: "keepdims", type: 2, i: 0 }] },
        { opType: "Constant", output: ["zero"], attribute: [{ name: "value_float", type: 1, f: 0 }] },
        { opType: "Less", input: ["s", "zero"], output: ["c"] },
        {
          opType: "If",
          input: ["c"],
          output: ["b"],
          attribute: [
            { name: "then_branch", type: 5, g: branch("Abs") },
            { name: "else_branch", type: 5, g: branch("Identity") },
          ],
        },
      ],
    };
    const call = (input: string, output: string) => ({ opType: "choose", domain: "own", input: [input], output: [output] });
    await check(file([choose], [call("x", "m"), call("m", "y")]), [4, 8]);
  });

  it("that hand an input through", async () => {
    const same: Messages["Function"] = { name: "same", domain: "own", input: ["a"], output: ["a"], opsetImport: opset, node: [] };
    const model = parseModel(file([same], [{ opType: "same", domain: "own", input: ["x"], output: ["y"] }]));
    expect(model.graph.nodes).toMatchObject([{ op: "Identity", inputs: ["x"], outputs: ["y"] }]);
  });

  it("only where ONNX Runtime has no operator of that name, for it runs its own first", async () => {
    const negative = (opType: string, domain: string): Uint8Array => {
      const node = [{ opType: "Neg", input: ["a"], output: ["b"] }];
      const own: Messages["Function"] = { name: opType, domain, input: ["a"], output: ["b"], opsetImport: opset, node };
      return file([own], [{ opType, domain, input: ["x"], output: ["y"] }]);
    };
    expect(await check(negative("Relu", ""), [0, 8])).toEqual(["Relu"]);
    expect(await check(negative("Negative", "com.microsoft"), [4, -8])).toEqual(["Neg"]);
    // not known to Faultline, and run by ONNX Runtime all the same
    const { nodes } = parseModel(negative("IsAllFinite", "com.microsoft")).graph;
    expect(nodes).toMatchObject([{ op: "IsAllFinite", domain: "com.microsoft" }]);
    // ONNX Runtime lets no function add to ONNX's own operators
    await expect(runModel(negative("Negative", ""), { x: tensor("float32", [2], [-4, 8]) }, "disabled")).rejects.toThrow(
      "Negative",
    );
    expect(parseModel(negative("Negative", "")).graph.nodes).toMatchObject([{ op: "Negative" }]);
  });
});
