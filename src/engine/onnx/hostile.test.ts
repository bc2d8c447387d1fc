import { describe, expect, it } from "vitest";
import { defaultLimits } from "./limits.js";
import { ModelError } from "./model.js";
import { parseModel } from "./read.js";
import type { Messages } from "./schema.js";
import { encode } from "./wire.js";

type Graph = Messages["Graph"];
type Node = Messages["Node"];
type Function = Messages["Function"];

const bytesOf = (text: string) => new TextEncoder().encode(text);
const float32 = (name: string, dims: number[]): Messages["ValueInfo"] => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});
const relu = (input: string, output: string, name = ""): Node => ({ opType: "Relu", input: [input], output: [output], name });

/** A sound model of one Relu from x to y, changed. */
function file(graph: Partial<Graph> = {}, model: Partial<Messages["Model"]> = {}): Uint8Array {
  return encode("Model", {
    irVersion: 8,
    opsetImport: [{ domain: "", version: 18 }],
    graph: { name: "g", node: [relu("x", "y")], input: [float32("x", [2])], output: [float32("y", [2])], ...graph },
    ...model,
  });
}

const initializer = (tensor: Partial<Messages["Tensor"]>) => file({ initializer: [{ name: "w", dataType: 1, ...tensor }] });
const external = (...pairs: [string, string][]) =>
  initializer({ dims: [2], dataLocation: 1, externalData: pairs.map(([key, value]) => ({ key, value })) });
const call = (name: string, input = "x", output = "y"): Node => ({
  opType: name,
  domain: "own",
  input: [input],
  output: [output],
});
const define = (name: string, node: Node[], rest: Partial<Function> = {}): Function => ({
  name,
  domain: "own",
  input: ["a"],
  output: ["b"],
  opsetImport: [{ domain: "", version: 18 }],
  node,
  ...rest,
});
const own = {
  opsetImport: [
    { domain: "", version: 18 },
    { domain: "own", version: 1 },
  ],
};
const nested = (depth: number): Node =>
  depth === 0
    ? relu("x", "z")
    : {
        opType: "If",
        input: ["x"],
        output: ["y"],
        attribute: [{ name: "then_branch", type: 5, g: { node: [nested(depth - 1)] } }],
      };
/** f0 calls f1 twice, f1 calls f2 twice, and so on: 2^30 nodes from a file of a kilobyte. */
const laughs = Array.from({ length: 30 }, (_, i) => define(`f${i}`, [call(`f${i + 1}`, "a", "t"), call(`f${i + 1}`, "t", "b")]));

const sound = file();
const damaged = "This is not a whole ONNX file: it is cut short, damaged or of another format";

const hostile: readonly (readonly [string, Uint8Array, string])[] = [
  ["an empty file", new Uint8Array(), "The model file is empty; fetch or export it again."],
  [
    "a web page",
    bytesOf("<!DOCTYPE html><html>"),
    "The file is a web page, not an ONNX model; the download link probably leads to a page about it.",
  ],
  [
    "a Git LFS pointer",
    bytesOf("version https://git-lfs.github.com/spec/v1\noid sha256:0"),
    "The file is a Git LFS pointer, not the model itself; fetch it with `git lfs pull`.",
  ],
  [
    "a picture",
    Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    `${damaged} (near byte 2 of 8); fetch or export it again.`,
  ],
  ["a file cut short", sound.subarray(0, sound.length - 3), `${damaged} (near byte 59 of 60); fetch or export it again.`],
  [
    "a length beyond the file",
    Uint8Array.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    `${damaged} (near byte 6 of 6); fetch or export it again.`,
  ],
  [
    "no graph",
    encode("Model", { irVersion: 8 }),
    "The file holds no graph, so it is not an ONNX model; check that it is the right file.",
  ],
  [
    "an opset of the future",
    file({}, { opsetImport: [{ version: 9999 }] }),
    "The model is written for opset 9999, and Faultline reads 7 to 24; export it with opset 18.",
  ],
  [
    "an operator set that is not imported",
    file({ node: [call("f")] }),
    'own.f (which makes "y") is of the operator set "own", which the model does not import; export it again.',
  ],
  [
    "a shape of 2^60",
    initializer({ dims: [2 ** 20, 2 ** 20, 2 ** 20] }),
    'Initializer "w" has the shape [1048576, 1048576, 1048576], which no memory holds; the file is damaged or hostile.',
  ],
  [
    "17 GB declared, none there",
    initializer({ dims: [65536, 65536] }),
    'Initializer "w" is declared as float32[65536, 65536] (4294967296 elements) but holds 0; the file is damaged.',
  ],
  [
    "17 GB declared, 4 bytes there",
    initializer({ dims: [65536, 65536], rawData: new Uint8Array(4) }),
    'Initializer "w" is declared as float32[65536, 65536] (17179869184 bytes) but holds 4 bytes; the file is damaged.',
  ],
  [
    "a negative dimension",
    initializer({ dims: [-3], rawData: new Uint8Array(4) }),
    'Initializer "w" has the impossible shape [-3].',
  ],
  [
    "a wrong data type",
    initializer({ dims: [2], dataType: 11, rawData: new Uint8Array(8) }),
    'Initializer "w" is declared as float64[2] (16 bytes) but holds 8 bytes; the file is damaged.',
  ],
  [
    "a string tensor",
    initializer({ dims: [1], dataType: 8 }),
    'Initializer "w" has elements of type string, which Faultline does not read; export it as float32.',
  ],
  [
    "a data type that does not exist",
    initializer({ dims: [1], dataType: 99 }),
    'Initializer "w" has elements of type number 99, which Faultline does not read; export it as float32.',
  ],
  ["an initializer without a name", initializer({ name: "" }), "The model has an initializer without a name; export it again."],
  [
    "a sparse tensor of 8 TB",
    file({
      sparseInitializer: [
        { values: { name: "w", dataType: 1, dims: [0] }, indices: { dataType: 7, dims: [0] }, dims: [2 ** 41] },
      ],
    }),
    "The tensors in the model's file take more than 2 GB once they are unpacked; keep them as external data, or use a smaller variant.",
  ],
  [
    "a sparse tensor with an index outside",
    file({
      sparseInitializer: [
        {
          values: { name: "w", dataType: 1, dims: [1], rawData: new Uint8Array(4) },
          indices: { dataType: 7, dims: [1], rawData: Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0) },
          dims: [4],
        },
      ],
    }),
    'Initializer "w" is sparse with an index outside its shape; the file is damaged.',
  ],
  [
    "external data that was not given",
    external(["location", "w.bin"]),
    'Initializer "w" lies in the external file "w.bin", which was not given; pass that file along with the model.',
  ],
  ...["/etc/passwd", "../w.bin", "a/../../w.bin", "C:\\w.bin", "..\\w.bin", ""].map(
    (location) =>
      [
        `external data at "${location}"`,
        external(["location", location]),
        `Initializer "w" points to external data at "${location}", outside the model's own folder; that is refused. Put the data beside the model.`,
      ] as const,
  ),
  [
    "external data at a negative offset",
    external(["location", "w.bin"], ["offset", "-8"]),
    'Initializer "w" takes 8 bytes, but the model file points to 8 bytes at -8 in "w.bin"; export the model again.',
  ],
  [
    "external data of another length",
    external(["location", "w.bin"], ["length", "99999999999"]),
    'Initializer "w" takes 8 bytes, but the model file points to 99999999999 bytes at 0 in "w.bin"; export the model again.',
  ],
  [
    "an initializer twice",
    file({
      initializer: [
        { name: "w", dataType: 1, dims: [0] },
        { name: "w", dataType: 1, dims: [0] },
      ],
    }),
    'The model has two initializers called "w"; names must be unique.',
  ],
  [
    "an input twice",
    file({ input: [float32("x", [2]), float32("x", [2])] }),
    'Graph "g" defines "x" twice: as an input and as an input; names must be unique.',
  ],
  [
    "an output of two nodes",
    file({ node: [relu("x", "y", "a"), relu("x", "y", "b")] }),
    'Graph "g" defines "y" twice: as an output of Relu "a" and as an output of Relu "b"; names must be unique.',
  ],
  [
    "a node that makes an input",
    file({ node: [relu("x", "x"), relu("x", "y")] }),
    'Graph "g" defines "x" twice: as an input and as an output of Relu (which makes "x"); names must be unique.',
  ],
  [
    "an output listed twice",
    file({ output: [float32("y", [2]), float32("y", [2])] }),
    'Graph "g" lists the output "y" twice; names must be unique.',
  ],
  ["an output that nothing makes", file({ output: [float32("q", [2])] }), 'Graph "g" has the output "q", which nothing makes.'],
  [
    "an input that nothing makes",
    file({ node: [relu("q", "y", "a")] }),
    'Graph "g": Relu "a" reads "q", which is no input, initializer or output of another node.',
  ],
  [
    "a cycle of two",
    file({ node: [relu("q", "y", "a"), relu("y", "q", "b")] }),
    'Graph "g" has a cycle through Relu "a", Relu "b"; a model must not feed back into itself.',
  ],
  [
    "a node that reads itself",
    file({ node: [relu("y", "y", "a")] }),
    'Graph "g" has a cycle through Relu "a"; a model must not feed back into itself.',
  ],
  [
    "a cycle through a subgraph",
    file({
      node: [
        {
          name: "if",
          opType: "If",
          input: ["x"],
          output: ["y"],
          attribute: [{ name: "then_branch", type: 5, g: { node: [relu("y", "z")], output: [{ name: "z" }] } }],
        },
      ],
    }),
    'Graph "g" has a cycle through If "if"; a model must not feed back into itself.',
  ],
  [
    "a node without an operator",
    file({ node: [{ name: "a", input: ["x"], output: ["y"] }] }),
    'Node "a" states no operator; export the model again.',
  ],
  [
    "an attribute twice",
    file({
      node: [
        {
          ...relu("x", "y", "a"),
          attribute: [
            { name: "k", type: 2 },
            { name: "k", type: 2 },
          ],
        },
      ],
    }),
    'Relu "a" has the attribute "k" twice.',
  ],
  [
    "an attribute of an unknown kind",
    file({ node: [{ ...relu("x", "y", "a"), attribute: [{ name: "k", type: 77 }] }] }),
    'Attribute "k" of Relu "a" is a list or type (of type number 77) that Faultline does not read.',
  ],
  [
    "a reference to an attribute outside a function",
    file({ node: [{ ...relu("x", "y", "a"), attribute: [{ name: "k", refAttrName: "r", type: 2 }] }] }),
    'Attribute "k" of Relu "a" refers to an attribute of a function, but stands in none; export the model again.',
  ],
  [
    "an input that is no tensor",
    file({ input: [{ name: "x", type: {} }] }),
    'The input "x" is not a tensor (or states no type), and Faultline works on tensors only.',
  ],
  [
    "an input of strings",
    file({ input: [{ name: "x", type: { tensorType: { elemType: 8 } } }] }),
    'The input "x" is of type string, which Faultline does not work on.',
  ],
  [
    "an input of an impossible dimension",
    file({ input: [float32("x", [2 ** 62])] }),
    'The input "x" has the impossible dimension 4611686018427388000.',
  ],
  ["an input without a name", file({ input: [float32("", [2])] }), "The model has an input without a name; export it again."],
  [
    "graphs nested 40 deep",
    file({ node: [nested(40)] }),
    "The model nests graphs or messages too deeply to be read; simplify it before the export.",
  ],
  [
    "a function that calls itself",
    file({ node: [call("f")] }, { ...own, functions: [define("f", [call("f", "a", "b")])] }),
    'The function "f" calls itself (f -> f); recursion has no end in ONNX.',
  ],
  [
    "functions that call each other",
    file({ node: [call("f")] }, { ...own, functions: [define("f", [call("g", "a", "b")]), define("g", [call("f", "a", "b")])] }),
    'The function "f" calls itself (f -> g -> f); recursion has no end in ONNX.',
  ],
  [
    "functions that double thirty times",
    file({ node: [call("f0")] }, { ...own, functions: [...laughs, define("f30", [relu("a", "b")])] }),
    "The model's functions expand to more than 200000 nodes; it is damaged or hostile.",
  ],
  [
    "empty functions that double thirty times",
    file({ node: [call("f0")] }, { ...own, functions: [...laughs, define("f30", [])] }),
    "The model's functions expand to more than 200000 nodes; it is damaged or hostile.",
  ],
  [
    "a function twice",
    file({ node: [call("f")] }, { ...own, functions: [define("f", []), define("f", [])] }),
    'The model defines the function "f" twice; names must be unique.',
  ],
  [
    "a function of another opset",
    file({ node: [call("f")] }, { ...own, functions: [define("f", [], { opsetImport: [{ version: 9 }] })] }),
    'The function "f" is written for opset 9, but the model for opset 18; export it with one opset.',
  ],
  [
    "a call with too many inputs",
    file({ node: [{ ...call("f"), input: ["x", "x"] }] }, { ...own, functions: [define("f", [relu("a", "b")])] }),
    'The call "y" of the function "f" passes more inputs or outputs than the function has; the model is damaged.',
  ],
  [
    "a function that makes no result",
    file({ node: [call("f")] }, { ...own, functions: [define("f", [relu("a", "c")])] }),
    'Graph "g" has the output "y", which nothing makes.',
  ],
];

describe("a hostile file gets one clear error", () => {
  it("and the file that they are made from is sound", () => {
    expect(parseModel(sound).graph.nodes).toHaveLength(1);
  });

  it.each(hostile)("%s", (_, bytes, message) => {
    expect(() => parseModel(bytes)).toThrow(new ModelError(message));
  });

  it("more entries than the limit", () => {
    const bytes = file({ node: Array.from({ length: 300 }, (_, i) => relu("x", `y${i}`)) });
    expect(() => parseModel(bytes, { limits: { ...defaultLimits, entries: 200 } })).toThrow(
      new ModelError("The model file holds more entries than the reading limit allows."),
    );
  });

  it("a file above the limit of bytes", () => {
    expect(() => parseModel(sound, { limits: { ...defaultLimits, bytes: 40 } })).toThrow("an ONNX file holds at most 2 GB");
  });

  it("names of a megabyte are shown shortened", () => {
    const bytes = file({ output: [float32("q".repeat(1e6), [2])] });
    expect(() => parseModel(bytes)).toThrow(/^.{700,800}$/);
  });
});
