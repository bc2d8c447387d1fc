import { describe, expect, it } from "vitest";
import { Graph, type Value } from "../graph/graph.js";
import { opaqueOperator } from "../graph/operator.js";
import * as o from "../operators/index.js";
import { gradientGraph } from "./gradient-graph.js";
import { gradients, reverseSweep } from "./gradients.js";
import { NotDifferentiableError } from "./obstacles.js";

/** A node that Faultline knows nothing of. */
const opaque = (name: string, ...inputs: readonly Value[]): Value => {
  const operator = opaqueOperator({ name: "Opaque", domain: "custom", attributes: {}, types: [inputs[0]!] });
  return inputs[0]!.graph.add(operator, inputs, {}, { name, outputNames: [`${name}_out`] })[0]!;
};

function failure(run: () => unknown): NotDifferentiableError {
  try {
    run();
  } catch (error) {
    if (error instanceof NotDifferentiableError) return error;
    throw error;
  }
  throw new Error("No error was thrown.");
}

it("a gradient graph keeps the order of outputs whose names are numbers, and pairs cotangents by name", () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [3]);
  for (const [name, v] of [
    ["last", o.exp(x)],
    ["10", o.reshape(x, [3, 1])],
    ["9", o.relu(x)],
  ] as const)
    graph.output(name, v);
  const gradient = gradientGraph(graph);
  expect([...gradient.outputs.keys()]).toEqual(["last", "10", "9", "d.x"]);
  expect(gradient.inputs.map(({ name, shape }) => [name, shape])).toEqual([
    ["x", [3]],
    ["v.last", [3]],
    ["v.10", [3, 1]],
    ["v.9", [3]],
  ]);
});

describe("obstacles", () => {
  const start = () => {
    const graph = new Graph();
    return { graph, x: graph.input("x", "float32", [2, 3]) };
  };
  const named = (v: Value, name: string): Value =>
    v.graph.add(o.operatorFamilies.elementwise.Add, [v, v], {}, { name, outputNames: [name] })[0]!;

  it("behind one another are all listed, with the last value before the first", () => {
    const { x } = start();
    const y = opaque("second", o.relu(opaque("first", named(x, "score"))));
    const error = failure(() => gradients(y, [x]));
    expect(error.nodes.map(({ node }) => node.name)).toEqual(["first", "second"]);
    expect(error.lastValues.map((v) => v.name)).toEqual(["score"]);
    expect(error.message).toBe(
      'No gradient exists through these 2 nodes:\n  Opaque "first" (output "first_out"): Faultline has no gradient rule for it\n' +
        '  Opaque "second" (output "second_out"): Faultline has no gradient rule for it\n' +
        'The last value before them that can be differentiated is "score" (command line: --of score).',
    );
  });

  it("in both branches are all listed, with a last value each", () => {
    const { x } = start();
    const [a, b] = [named(x, "boxes"), named(o.relu(x), "scores")];
    const error = failure(() => gradients(o.add(opaque("left", a), o.mul(opaque("right", b), b)), [x]));
    expect(error.nodes.map(({ node }) => node.name)).toEqual(["left", "right"]);
    expect(error.lastValues.map((v) => v.name)).toEqual(["boxes", "scores"]);
    expect(error.message).toContain('The last values before them that can be differentiated are "boxes", "scores"');
  });

  it("that read an input itself leave nothing to differentiate instead", () => {
    const { x } = start();
    const error = failure(() => gradients(opaque("first", x), [x]));
    expect(error.message).toContain("Nothing is computed before it that could be differentiated instead.");
  });

  it("on quantized numbers name the real numbers before the quantization", () => {
    const { graph, x } = start();
    const { y } = o.dynamicQuantizeLinear(named(x, "features"));
    const error = failure(() => gradients(o.cast(opaque("packed", y), "float32"), [x]));
    expect(error.lastValues.map((v) => v.name)).toEqual(["features"]);
    expect(graph.nodes.length).toBeGreaterThan(0);
  });

  it("are also nodes of a kind that has a gradient, in a mode that has none", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [1, 1, 4, 4]);
    // ONNX Runtime is not consistent for an axis that keeps its size with another scale than 1
    const y = o.resize(opaque("first", named(x, "image")), {
      scales: [1, 1, 1.1, 2],
      mode: "linear",
      downsampling: "antialias",
    });
    const error = failure(() => gradients(y, [x]));
    expect(error.nodes.map(({ node }) => node.operator.name)).toEqual(["Opaque", "Resize"]);
    expect(error.nodes[1]!.because).toContain("must have scale 1");
  });

  it("that are not on the way do not matter", () => {
    const { x } = start();
    expect(() => gradients(o.add(named(x, "score"), opaque("aside", o.stopGradient(x))), [x])).not.toThrow();
  });
});

describe("a gradient that is 0 everywhere", () => {
  it("is told from one that exists", () => {
    const graph = new Graph();
    const [a, b] = [graph.input("a", "float32", [2]), graph.input("b", "float32", [2])];
    const y = o.mul(a, o.cast(o.argMax(b, 0, "keep"), "float32"));
    const sweep = reverseSweep([{ of: y, cotangent: y }], [a, b]);
    expect(sweep.cotangents.map((g) => g !== undefined)).toEqual([true, false]);
    expect(sweep.ends.nodes.map(({ node }) => node.operator.name)).toEqual(["ArgMax"]);
  });

  it("makes no gradient model: what ends the way is named", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [2, 3]);
    graph.output("label", o.cast(o.argMax(x, 1), "float32"));
    expect(() => gradientGraph(graph)).toThrow(
      /^The gradient of "label" with respect to "x" is 0 everywhere: the only way leads through this node:\n {2}ArgMax \(output "argmax"\): /,
    );
  });

  it("is said of what was cut off by a cast, and of rounding", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [2]);
    graph.output("y", o.add(o.round(x), o.cast(o.cast(x, "int32"), "float32")));
    expect(() => gradientGraph(graph)).toThrow(/these 2 nodes:\n {2}Cast .*\n {2}Round .*: its derivative is 0/);
    expect(() => gradientGraph(graph, { rounding: "straight-through" })).not.toThrow();
  });

  it("is said where nothing leads to the output at all", () => {
    const graph = new Graph();
    graph.input("x", "float32", [2]);
    graph.output("y", o.relu(graph.input("z", "float32", [2])));
    expect(() => gradientGraph(graph, { wrt: ["x"] })).toThrow(
      'of "y" with respect to "x" is 0 everywhere: it does not depend on it.',
    );
  });
});

it("a table that is longer than an array may be is an obstacle, and said in one sentence", () => {
  const x = new Graph().input("x", "float32", [2, 3]);
  const y = o.resize(x, { sizes: [2 ** 34, 3], mode: "linear" });
  expect(failure(() => gradients(y, [x])).message).toMatch(/Resize.*its gradient cannot be built at such sizes: /);
});

it("the positions that MaxPool and TopK give out carry no gradient, also of quantized numbers", () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [1, 1, 4]);
  const { y: q } = o.dynamicQuantizeLinear(x);
  const places = o.cast(o.maxPoolWithIndices(q, [2]).indices, "float32");
  expect(reverseSweep([{ of: places, cotangent: places }], [x]).cotangents).toEqual([undefined]);
});
