import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../graph/graph.js";
import { writeModel } from "../onnx/write.js";
import { saveModel } from "../onnx/write-file.js";
import { add, identity, matMul } from "../operators/index.js";
import { bytesPerElement, type DataType, dataTypes, type Tensor, tensor, viewOf } from "../tensor/tensor.js";
import { type Engine, EngineError } from "./engine.js";
import { createEngine } from "./node.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

/** y = x, of any type. */
function same(type: DataType, shape: readonly number[]) {
  const graph = new Graph();
  graph.output("y", identity(graph.input("x", type, shape)));
  return graph.build();
}

/** y = x W, with 10 KiB of weights. */
function product() {
  const graph = new Graph();
  const weights = tensor(
    "float32",
    [50, 50],
    Float32Array.from({ length: 2500 }, (_, i) => Math.sin(i)),
  );
  graph.output("y", add(matMul(graph.input("x", "float32", [2, 50]), graph.constant(weights)), 1));
  return { model: graph.build(), weights };
}
const x = tensor(
  "float32",
  [2, 50],
  Float32Array.from({ length: 100 }, (_, i) => i / 7),
);

describe("the bytes of a model stay the caller's", () => {
  const bytes = writeModel(same("float32", [2]));
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const padded = new Uint8Array(bytes.length + 64).fill(7);
  padded.set(bytes, 32);

  it.each<[string, () => Uint8Array]>([
    ["an array of their own", () => bytes],
    ["a Buffer from Node's pool", () => Buffer.from(bytes)],
    ["a Buffer that is a part of another", () => Buffer.from(padded.buffer).subarray(32, 32 + bytes.length)],
    ["a view into a larger array", () => padded.subarray(32, 32 + bytes.length)],
    ["shared memory", () => shared],
  ])("in %s", async (_, give) => {
    const given = give();
    const neighbors = new Uint8Array(given.buffer).slice();
    for (const use of [engine.compile, engine.compile]) {
      const program = await use.call(engine, given);
      expect(await program.run({ x: tensor("float32", [2], [1, 2]) })).toEqual({ y: tensor("float32", [2], [1, 2]) });
      program.dispose();
    }
    expect(new Uint8Array(given.buffer)).toEqual(neighbors);
  });

  it("in a file that was just read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "faultline-own-"));
    writeFileSync(join(folder, "m.onnx"), bytes);
    const read = readFileSync(join(folder, "m.onnx"));
    (await engine.compile(read)).dispose();
    expect([...read]).toEqual([...bytes]);
    await rm(folder, { recursive: true });
  });

  it("and so do the arrays of a model's weights", async () => {
    const { model, weights } = product();
    const before = weights.data.slice();
    for (const inlineWeights of [2 ** 30, 0]) {
      await using other = await createEngine({ threads: 1, inlineWeights });
      await other.compile(model);
      await other.compile(model);
      expect(weights.data).toEqual(before);
    }
  });
});

it("a feed that is given away is empty afterwards", async () => {
  using program = await engine.compile(product().model);
  const given = tensor("float32", x.shape, x.data.slice());
  expect(await program.run({ x: given }, { feeds: "given" })).toEqual(await program.run({ x }));
  expect([x.data.length, given.data.length]).toEqual([100, 0]);
});

describe.each(dataTypes)("a feed of %s stays the caller's", (type) => {
  const values = type === "bool" ? [1, 0, 1] : [1, 2, 3];
  const wanted = tensor(type, [3], values);
  const size = bytesPerElement(type);
  const raw = new Uint8Array(wanted.data.buffer, wanted.data.byteOffset, wanted.data.byteLength);
  const within = (buffer: ArrayBufferLike, at: number): Tensor => {
    new Uint8Array(buffer, at, raw.length).set(raw);
    return { type, shape: [3], data: viewOf(type, new Uint8Array(buffer, at), 3) } as Tensor;
  };
  const feeds: Readonly<Record<string, () => Tensor>> = {
    "an array of its own": () => ({ ...wanted, data: wanted.data.slice() }) as Tensor,
    "a view into a larger array": () => within(new ArrayBuffer(20 * size), 8 * size),
    "shared memory": () => within(new SharedArrayBuffer(20 * size), 8),
    // A Buffer is a Uint8Array, and the array of a tensor of that type may be one.
    "memory of Node's pool": () => {
      const part = Buffer.allocUnsafe(3 * size + 8);
      const at = Math.ceil(part.byteOffset / 8) * 8;
      const fed = within(part.buffer, at);
      return size === 1 && type !== "int8" ? ({ ...fed, data: Buffer.from(part.buffer, at, 3) } as Tensor) : fed;
    },
  };

  it.each(Object.entries(feeds))("in %s", async (_, give) => {
    const program = await engine.compile(same(type, [3]));
    const fed = give();
    const neighbors = new Uint8Array(fed.data.buffer).slice();
    for (let i = 0; i < 2; i++) expect(await program.run({ x: fed })).toEqual({ y: wanted });
    const held = await engine.upload(fed);
    expect(await engine.download(held)).toEqual(wanted);
    expect(await program.run({ x: held })).toEqual({ y: wanted });
    held.dispose();
    expect(new Uint8Array(fed.data.buffer)).toEqual(neighbors);
    program.dispose();
  });
});

it("what is evaluated once leaves the arrays of its weights alone", async () => {
  const weights = tensor("float32", [200, 300], new Float32Array(60_000).fill(0.5));
  const before = weights.data.slice();
  const graph = new Graph();
  const [w, small] = [graph.constant(weights, "__proto__"), graph.constant(tensor("float32", [2], [1, 2]))];
  graph.output("sum", add(w, w));
  graph.output("same", w);
  graph.output("other", add(small, 1));
  const { sum, same, other } = await engine.evaluate(graph);
  expect(sum!.data).toEqual(new Float32Array(60_000).fill(1));
  expect([same!.data, weights.data]).toEqual([before, before]);
  expect(other!.data).toEqual(Float32Array.of(2, 3));
});

describe("a model whose weights do not fit into a message", () => {
  const { model } = product();
  const usual = process.env.TMPDIR;
  const setFolder = (path: string | undefined) => {
    if (path === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = path;
  };
  let folder: string;
  // tsx, by which workers run from source, keeps a cache there too.
  const left = () => readdirSync(folder).filter((name) => name.startsWith("faultline-"));
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "faultline-large-"));
    setFolder(folder);
  });
  afterAll(async () => {
    setFolder(usual);
    await rm(folder, { recursive: true });
  });

  it("is loaded from files that are gone afterwards, and computes the same", async () => {
    const program = await engine.compile(model);
    await using other = await createEngine({ threads: 1, inlineWeights: 0 });
    const large = await other.compile(model);
    expect(left()).toEqual([]);
    expect(large.outputs).toEqual(program.outputs);
    expect(await large.run({ x })).toEqual(await program.run({ x }));
    const kept = (await large.run({ x }, { keep: ["y"] })).y;
    expect(await other.download(kept)).toEqual((await program.run({ x })).y);
    const constants = new Graph();
    constants.output("y", add(constants.constant(tensor("float32", [500], new Float32Array(500).fill(2))), 1));
    expect((await other.evaluate(constants.build())).y!.data).toEqual(new Float32Array(500).fill(3));
    expect(left()).toEqual([]);
  });

  it("says where its files could not be written", async () => {
    await using other = await createEngine({ threads: 1, inlineWeights: 0 });
    setFolder("/proc/nowhere");
    await expect(other.compile(model)).rejects.toThrow(EngineError);
    await expect(other.compile(model)).rejects.toThrow(/temporary folder \/proc\/nowhere \(ENOENT\); set TMPDIR/);
    setFolder(folder);
  });

  it("is run from its own file too", async () => {
    const path = join(folder, "m.onnx");
    expect(await saveModel(model, path, { weights: "beside" })).toHaveLength(2);
    const program = await engine.compile({ path });
    expect(await program.run({ x })).toEqual(await (await engine.compile(model)).run({ x }));
    program.dispose();
    await rm(path);
    await expect(engine.compile({ path })).rejects.toThrow(/could not load the model: .*m\.onnx/);
  });
});
