import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../graph/graph.js";
import { add, gather, greater, mul, reduceSum } from "../operators/index.js";
import { tensor } from "../tensor/tensor.js";
import { type Engine, EngineError } from "./engine.js";
import { createEngine } from "./node.js";

/** y = a x + b and x_next = x + 1, over [2, 3]. */
function affine(a: number, b: number) {
  const graph = new Graph();
  const x = graph.input("x", "float32", [2, 3]);
  graph.output("y", add(mul(x, a), b));
  graph.output("x_next", add(x, 1));
  return graph.build();
}

const x = tensor("float32", [2, 3], [0, 1, 2, 3, 4, 5]);

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(EngineError);
  return (error as EngineError).message;
}

describe("engine in Node", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ threads: 1 });
  });
  afterAll(() => engine.dispose());

  it("says what computes", async () => {
    const second = await createEngine({ threads: 2, optimization: "basic" });
    expect(second.info).toMatchObject({ provider: "cpu", threads: 2, optimization: "basic" });
    expect(second.info.runtime).toMatch(/^onnxruntime-node \d+\.\d+/);
    await second.dispose();
  });

  it("runs a model, leaves the caller's arrays alone and restricts the outputs", async () => {
    const program = await engine.compile(affine(2, 1));
    const { y } = await program.run({ x });
    expect(y).toEqual(tensor("float32", [2, 3], [1, 3, 5, 7, 9, 11]));
    expect(x.data.length).toBe(6);
    const buffer = new Float32Array(100).fill(7);
    const view = { type: "float32", shape: [2, 3], data: buffer.subarray(10, 16) } as const;
    expect(Object.keys(await program.run({ x: view }, { only: ["y"] }))).toEqual(["y"]);
    expect(buffer.length).toBe(100);
    program.dispose();
  });

  it("keeps outputs with the engine across programs", async () => {
    const step = await engine.compile(affine(1, 0));
    const read = await engine.compile(affine(10, 0));
    let state = await engine.upload(x);
    for (let t = 0; t < 5; t++) {
      const { x_next } = await step.run({ x: state }, { keep: ["x_next"], only: [] });
      expect(x_next.data).toBeUndefined();
      state.dispose();
      state = x_next;
    }
    expect((await engine.download(state)).data).toEqual(Float32Array.of(5, 6, 7, 8, 9, 10));
    expect((await read.run({ x: state })).y!.data).toEqual(Float32Array.of(50, 60, 70, 80, 90, 100));
    state.dispose();
    expect(await messageOf(read.run({ x: state }))).toMatch(/^input "x": the tensor float32\[2, 3\] is disposed;/);
    for (const p of [step, read]) p.dispose();
  });

  it("does not mix up the memory of kept outputs", async () => {
    const step = await engine.compile(affine(1, 0));
    const first = (await step.run({ x }, { keep: ["x_next"] })).x_next;
    first.dispose();
    const second = (await step.run({ x }, { keep: ["x_next"] })).x_next;
    const third = (await step.run({ x: second }, { keep: ["x_next"] })).x_next;
    expect((await engine.download(second)).data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect((await engine.download(third)).data).toEqual(Float32Array.of(2, 3, 4, 5, 6, 7));
    step.dispose();
  });

  it("keeps large outputs in place, beside others that come back", async () => {
    const graph = new Graph();
    const large = graph.input("x", "float32", [300, 300]);
    graph.output("x_next", add(large, 1));
    graph.output("positive", greater(large, 2));
    graph.output("sum", reduceSum(large));
    const step = await engine.compile(graph);
    expect(step.outputs.map((o) => o.name)).toEqual(["x_next", "positive", "sum"]);
    let state = await engine.upload(tensor("float32", [300, 300]));
    const seen = [];
    for (let t = 0; t < 5; t++) {
      const { x_next, positive, sum } = await step.run({ x: state }, { keep: ["x_next", "positive"] });
      seen.push([sum!.data[0], ...new Set((await engine.download(positive)).data as Uint8Array)]);
      for (const old of [state, positive]) old.dispose();
      state = x_next;
    }
    expect(seen).toEqual([0, 1, 2, 3, 4].map((t) => [90_000 * t, t > 2 ? 1 : 0]));
    expect(new Set((await engine.download(state)).data as Float32Array)).toEqual(new Set([5]));
    expect((await step.run({ x: state }, { only: ["sum"] })).sum!.data[0]).toBe(450_000);
    for (const held of [state, step]) held.dispose();
  });

  it("tells why a run failed that was to keep large outputs", async () => {
    const graph = new Graph();
    const table = graph.constant(tensor("float32", [10, 40_000]));
    graph.output("rows", gather(table, graph.input("i", "int64", [1])));
    const program = await engine.compile(graph);
    const run = (i: number) => program.run({ i: tensor("int64", [1], [i]) }, { keep: ["rows"] });
    expect((await run(3)).rows.shape).toEqual([1, 40_000]);
    expect(await messageOf(run(11))).toMatch(/could not run the program: .*out of data bounds/);
    program.dispose();
  });

  it("refuses feeds that do not fit, each with one sentence", async () => {
    const program = await engine.compile(affine(1, 0));
    expect(await messageOf(program.run({}))).toBe('Input "x" is missing; the program expects float32[2, 3].');
    expect(await messageOf(program.run({ x, z: x }))).toBe('Unknown input "z"; the program\'s inputs are "x" float32[2, 3].');
    expect(await messageOf(program.run({ x: tensor("float64", [2, 3]) }))).toBe(
      'Input "x": the program expects float32[2, 3], not float64[2, 3].',
    );
    expect(await messageOf(program.run({ x: tensor("float32", [3, 2]) }))).toMatch(
      /expects float32\[2, 3\], not float32\[3, 2\]/,
    );
    expect(await messageOf(program.run({ x: { ...x, data: new Float32Array(5) } }))).toMatch(/has 6 elements, but its data 5/);
    expect(await messageOf(program.run({ x }, { only: ["q"] }))).toMatch(/^Unknown output "q"; the program's outputs are "y"/);
    program.dispose();
    expect(await messageOf(program.run({ x }))).toMatch(/^The program is disposed/);
  });

  it("wraps ONNX Runtime's errors", async () => {
    expect(await messageOf(engine.compile(new Uint8Array([1, 2, 3])))).toMatch(
      /^ONNX Runtime \(cpu\) could not load the model: .+\.$/,
    );
    const { graph, ...rest } = affine(1, 0);
    const unknown = { ...rest, graph: { ...graph, nodes: graph.nodes.map((n) => (n.op === "Add" ? { ...n, op: "Aad" } : n)) } };
    expect(await messageOf(engine.compile(unknown))).toMatch(/Aad/);
    expect(await messageOf(engine.upload(x).then((held) => createdElsewhere(held)))).toMatch(/held by another engine/);
  });

  async function createdElsewhere(held: Awaited<ReturnType<Engine["upload"]>>) {
    const other = await createEngine({ threads: 1 });
    try {
      return await other.download(held);
    } finally {
      await other.dispose();
    }
  }

  it("evaluates a model without inputs", async () => {
    const graph = new Graph();
    graph.output("y", add(graph.constant(tensor("float32", [2], [1, 2])), graph.constant(tensor("float32", [1], [10]))));
    const { evaluate } = engine;
    expect((await evaluate(graph)).y).toEqual(tensor("float32", [2], [11, 12]));
  });

  it.each([
    ["x", "__proto__"],
    ["__proto__", "y"],
    ["constructor", "toString"],
  ])("takes %s and gives %s: names are only names, kept outputs too", async (input, output) => {
    const graph = new Graph();
    graph.output(output, mul(graph.input(input, "float32", [2]), 3));
    using program = await engine.compile(graph);
    expect(program.outputs.map(({ name }) => name)).toEqual([output]);
    const feeds = Object.fromEntries([[input, tensor("float32", [2], [1, 2])]]);
    const expected = tensor("float32", [2], [3, 6]);
    const whole = await program.run(feeds);
    expect(Object.entries(whole)).toEqual([[output, expected]]);
    const kept = await program.run(feeds, { only: [output], keep: [output] });
    const [[name, resident] = []] = Object.entries(kept);
    expect(name).toBe(output);
    expect(await engine.download(resident!)).toEqual(expected);
  });

  it("names the providers there are when asked for another", async () => {
    expect(await messageOf(createEngine({ provider: "wasm" }))).toMatch(
      /^Execution provider "wasm" is not part of ONNX Runtime on .+; choose one of cpu/,
    );
    expect(await messageOf(createEngine({ threads: 0 }))).toBe("The number of threads is a whole number of at least 1, not 0.");
  });

  it("leaves the event loop free", async () => {
    const program = await engine.compile(affine(3, 1));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const big = new Graph();
    let v = big.input("x", "float32", [1 << 20]);
    for (let i = 0; i < 40; i++) v = add(mul(v, 1.01), 0.5);
    big.output("y", v);
    const slow = await engine.compile(big.build(), { optimization: "disabled" });
    ticks = 0;
    await slow.run({ x: tensor("float32", [1 << 20]) });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
    for (const p of [program, slow]) p.dispose();
  });
});

describe("the end of an engine", () => {
  it("rejects what is pending and what comes later", async () => {
    const engine = await createEngine({ threads: 1 });
    const program = await engine.compile(affine(1, 0));
    const pending = messageOf(program.run({ x }));
    await engine.dispose();
    await engine.dispose();
    expect(await pending).toBe("The engine is disposed; create a new one.");
    expect(await messageOf(program.run({ x }))).toBe("The engine is disposed; create a new one.");
    program.dispose();
  });
});
