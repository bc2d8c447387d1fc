import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../graph/graph.js";
import { add } from "../operators/index.js";
import { dataTypes, type Tensor, tensor } from "../tensor/tensor.js";
import type { Engine } from "./engine.js";
import { createEngine } from "./node.js";
import { SpareArrays } from "./spare-arrays.js";

const floats = (values: readonly number[]) => tensor("float32", [values.length], values);

describe("spare arrays", () => {
  it("are filled again by copies of their size, whatever the type", () => {
    const spares = new SpareArrays();
    const first = spares.copyOf(floats([1, 2]));
    spares.keep([first.data.buffer as ArrayBuffer]);
    const fed = tensor("int64", [1], [7]);
    const second = spares.copyOf(fed);
    expect(second.data.buffer).toBe(first.data.buffer);
    expect(second).toEqual(fed);
    // It is in use: the next copy has an array of its own.
    expect(spares.copyOf(fed).data.buffer).not.toBe(first.data.buffer);
  });

  it.each(dataTypes)("copy a view of %s, and leave what lies around it", (type) => {
    const spares = new SpareArrays();
    const whole = tensor(type, [6], [0, 1, 0, 1, 1, 0]);
    const view = { type, shape: [2, 1], data: whole.data.subarray(2, 4) } as Tensor;
    spares.keep([spares.copyOf(view).data.buffer as ArrayBuffer]);
    expect(spares.copyOf(view)).toEqual(tensor(type, [2, 1], [0, 1]));
  });

  it("are let go where they would take much memory", () => {
    const spares = new SpareArrays(11);
    const [first, second] = [spares.copyOf(floats([1, 2])), spares.copyOf(floats([3]))];
    spares.keep([first, second].map(({ data }) => data.buffer as ArrayBuffer));
    expect(spares.copyOf(floats([4])).data.buffer).not.toBe(second.data.buffer);
    expect(spares.copyOf(floats([5, 6])).data.buffer).toBe(first.data.buffer);
  });
});

describe("runs whose feeds' arrays come back", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ threads: 1 });
  });
  afterAll(() => engine.dispose());

  it("do not see each other's feeds, and keep their results", async () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [3]);
    graph.output("same", x);
    graph.output("more", add(x, graph.input("y", "float32", [3])));
    using program = await engine.compile(graph.build());
    const [x0, y0] = [floats([1, 2, 3]), floats([10, 20, 30])];
    const wanted = { same: x0, more: floats([11, 22, 33]) };
    const early = await program.run({ x: x0, y: y0 });
    const kept = await program.run({ x: x0, y: y0 }, { keep: ["same"] });
    const all = await Promise.all([1, 2, 3, 4].map((k) => program.run({ x: floats([k, k, k]), y: y0 })));
    expect(all.map(({ same }) => same)).toEqual([1, 2, 3, 4].map((k) => floats([k, k, k])));
    expect(early).toEqual(wanted);
    expect(await engine.download(kept.same)).toEqual(x0);
    expect([x0, y0]).toEqual([floats([1, 2, 3]), floats([10, 20, 30])]);
  });
});
