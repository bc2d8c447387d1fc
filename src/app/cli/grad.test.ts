import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { readModel } from "../../engine/onnx/read-file.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import * as o from "../../engine/operators/index.js";
import { Dropout } from "../../engine/operators/layout/dropout.js";
import { tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { faultline, scratch } from "./testing/scene.js";

const folder = scratch();
afterAll(() => folder.remove());

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/cases/engine/${name}.onnx`, import.meta.url));
const [nonzero, nms] = [fixture("nonzero_detector"), fixture("nms_detector")];

/** A model of one input x [4] and one output y, as a file. */
async function written(name: string, body: (x: Value, graph: Graph) => Value): Promise<string> {
  const graph = new Graph();
  graph.output("y", body(graph.input("x", "float32", [4]), graph));
  const path = folder.path(`${name}.onnx`);
  await saveModel(graph.build(), path);
  return path;
}

describe("faultline grad --of", () => {
  it.each([
    [nonzero, ["score"], ["x", "v.score"], ["score", "d.x"]],
    [nonzero, ["c"], ["x", "v.c"], ["c", "d.x"]],
    [nms, ["boxes", "score"], ["x", "v.boxes", "v.score"], ["boxes", "score", "d.x"]],
  ])("%s at %s", async (model, of, inputs, outputs) => {
    const path = folder.path("cut.onnx");
    const { code, err } = await faultline("grad", model, "--of", ...of, "-o", path);
    expect([code, err]).toEqual([0, ""]);
    const { graph } = await readModel(path);
    expect(graph.inputs.map(({ name }) => name)).toEqual(inputs);
    expect(graph.outputs.map(({ name }) => name)).toEqual(outputs);
  });

  it("says the nearest names", async () => {
    const { code, err } = await faultline("grad", nonzero, "--of", "scores", "-o", folder.path("g.onnx"));
    expect(code).toBe(1);
    expect(err).toMatch(/no value "scores"; the nearest names are "score"\./);
  });
});

describe("what draws new numbers in each run", () => {
  const drop = (training: boolean) => (x: Value, graph: Graph) => {
    const of = (type: "float32" | "bool", value: number) => graph.constant(tensor(type, [], [value]));
    return graph.add(Dropout, [o.mul(x, 2), of("float32", 0.5), of("bool", training ? 1 : 0)], {}, { name: "drop" })[0]!;
  };
  it.each([
    ["training", true],
    ["evaluation", false],
  ] as const)("Dropout in %s", async (mode, draws) => {
    const path = await written(mode, drop(draws));
    const said = /Dropout "drop" draws new numbers in each run/;
    const { err } = await faultline("grad", path, "-o", folder.path(`${mode}.grad.onnx`));
    expect(said.test(err)).toBe(draws);
    const { out } = await faultline("inspect", path);
    expect(/1 node\(s\) draw new numbers in each run:\n +Dropout "drop"\n/.test(out)).toBe(draws);
  });
});

describe("a model whose shapes depend on data", () => {
  it.each([
    [nonzero, /NonZero \(which makes "nz"\).*known at run time only/, /differentiated is "score" \(command line: --of score\)/],
    [nms, /NonMaxSuppression \(which makes "sel"\)/, /differentiated are "boxes", "score" \(command line: --of boxes score\)/],
  ])("%s: grad and inspect name the node, and the last values before it", async (model, node, values) => {
    const { code, err } = await faultline("grad", model, "-o", folder.path("g.onnx"));
    expect(code).toBe(1);
    expect(err).toMatch(node);
    expect(err).toMatch(values);
    const inspected = await faultline("inspect", model);
    expect(inspected.code).toBe(0);
    expect(inspected.out).toMatch(node);
    expect(inspected.out).toMatch(values);
    expect(inspected.out).toMatch(/Conv +1 /);
    expect(inspected.out).toMatch(/kept: of a shape that depends on data/);
  });
});

describe("a gradient that is 0 or not finite", () => {
  it("everywhere by construction is refused, with what ends the way", async () => {
    const model = await written("label", (x) => o.cast(o.argMax(x, 0), "float32"));
    const { code, err } = await faultline("grad", model, "-o", folder.path("g.onnx"));
    expect(code).toBe(1);
    expect(err).toMatch(/of "y" with respect to "x" is 0 everywhere: the only way leads through this node:\n +ArgMax/);
    expect((await faultline("inspect", model)).out).toMatch(/0 everywhere: the only ways .*\n +ArgMax/);
  });

  it("for one input of two is said", async () => {
    const graph = new Graph();
    const [x, size] = [graph.input("x", "float32", [4]), graph.input("size", "float32", [1])];
    graph.output("y", o.add(o.exp(x), o.round(size)));
    const path = folder.path("sized.onnx");
    await saveModel(graph.build(), path);
    const { code, err } = await faultline("grad", path, "-o", folder.path("g.onnx"));
    expect([code, err]).toEqual([0, "note: d.size is 0 everywhere, for nothing differentiable leads there.\n"]);
    expect((await faultline("inspect", path)).out).toMatch(/exists, but is 0 everywhere for size/);
  });

  it("at a random input is said, unless it is not to be tried", async () => {
    const saturated = await written("saturated", (x) => o.clip(o.add(x, 5), 0, 1));
    const grad = (model: string, ...more: string[]) => faultline("grad", model, "-o", folder.path("g.onnx"), ...more);
    expect((await grad(saturated)).err).toMatch(/d\.x is 0 in every element at a random input/);
    expect((await grad(saturated, "--probe", "none")).err).toBe("");
    const broken = await written("broken", (x) => o.reciprocal(o.sub(x, x)));
    expect((await grad(broken)).err).toMatch(/d\.x is NaN or infinite in 4 of 4 elements/);
  });
});

describe("faultline grad --forward", () => {
  it("writes J t: tangents in, tangents out", async () => {
    const model = await written("tanh", (x, graph) => o.mul(o.tanh(x), graph.constant(tensor("float32", [4], [1, 2, 3, 4]))));
    const path = folder.path("forward.onnx");
    expect((await faultline("grad", model, "--forward", "-o", path)).code).toBe(0);
    const file = await readModel(path);
    expect(file.graph.inputs.map(({ name }) => name)).toEqual(["x", "t.x"]);
    expect(file.graph.outputs.map(({ name }) => name)).toEqual(["y", "t.y"]);
    const x = [0.3, -0.7, 0.1, 1.2];
    const t = [1, -2, 0.5, 3];
    const results = await runModel(file, { x: tensor("float32", [4], x), "t.x": tensor("float32", [4], t) });
    toNumbers(results["t.y"]!).forEach((v, i) => expect(v).toBeCloseTo((i + 1) * (1 - Math.tanh(x[i]!) ** 2) * t[i]!, 5));
  });

  it("does not go with --weights", async () => {
    expect((await faultline("grad", nonzero, "--forward", "--weights", "-o", folder.path("g.onnx"))).err).toMatch(
      /--weights asks/,
    );
  });
});

it("says once that a bfloat16 model is computed in float32", async () => {
  const model = fixture("float16/bfloat16_all");
  const { code, err } = await faultline("grad", model, "-o", folder.path("bfloat16.grad.onnx"), "--probe", "none");
  expect(code).toBe(0);
  expect(err.match(/is in bfloat16 and is computed in float32/g)).toHaveLength(1);
});
