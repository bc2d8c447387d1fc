/** Runs inside the browser: golden cases through the library's browser entry. The test in Node calls `golden` and `info`. */
import { compareWithGolden, type Deviation, type GoldenCase } from "../../src/engine/testing/golden-case.js";
import {
  add,
  createEngine,
  type Engine,
  type EngineInfo,
  type Feeds,
  Graph,
  matMul,
  parseSafetensors,
  type Tensor,
  tensor,
  toNumbers,
} from "../../src/index.web.js";

import { compareResampling, type ResamplingCase } from "../../src/vision/nn/resampling/testing/golden.js";

export type WebProvider = "wasm" | "webgpu";

declare global {
  var golden: (provider: WebProvider, golden: GoldenCase) => Promise<readonly Deviation[]>;
  var info: (provider: WebProvider) => Promise<EngineInfo>;
  /** A case of fixtures/golden/resampling; the entries of its tensors that differ, with how much. */
  var resampling: (provider: WebProvider, entry: ResamplingCase) => ReturnType<typeof compareResampling>;
  /** The provider's result of folding constants, 64-bit integers included, which WebGPU does not have. */
  var fold: (provider: WebProvider) => Promise<number[]>;
  var keep: (provider: WebProvider) => Promise<number[]>;
  /** 1 + 2 + ... + 2000 by weights that go to ONNX Runtime apart from the message, and from an array that stays the caller's. */
  var apart: (provider: WebProvider) => Promise<number[]>;
}

const engines = new Map<WebProvider, Promise<Engine>>();

function engineOf(provider: WebProvider): Promise<Engine> {
  const engine =
    engines.get(provider) ??
    createEngine({
      provider,
      wasm: "/onnxruntime/",
      worker: () => new Worker("/built/web-worker.js", { type: "module" }),
    });
  engines.set(provider, engine);
  return engine;
}

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

globalThis.info = async (provider) => (await engineOf(provider)).info;

globalThis.golden = async (provider, golden) => {
  const engine = await engineOf(provider);
  const [onnx, safetensors] = await Promise.all([
    fetchBytes(`/golden/${golden.name}.onnx`),
    fetchBytes(`/golden/${golden.name}.safetensors`),
  ]);
  try {
    return await compareWithGolden(golden, { onnx, safetensors }, (model, feeds) => run(engine, model, feeds));
  } catch (error) {
    // Errors that carry graphs are too deep to be sent to the test.
    throw new Error(String(error));
  }
};

globalThis.resampling = async (provider, entry) => {
  const engine = await engineOf(provider);
  const stored = parseSafetensors(await fetchBytes(`/resampling/${entry.file}`)).tensors;
  try {
    return await compareResampling(entry, stored, (model, feeds) => run(engine, model, feeds));
  } catch (error) {
    throw new Error(String(error));
  }
};

async function run(engine: Engine, model: Graph, feeds: Feeds): Promise<Record<string, Tensor>> {
  const program = await engine.compile(model);
  try {
    return await program.run(feeds);
  } finally {
    program.dispose();
  }
}

/** x -> x + 1, three times, with x staying in the worker (on WebGPU in the graphics card's memory). */
globalThis.keep = async (provider) => {
  const engine = await engineOf(provider);
  const graph = new Graph();
  graph.output("next", add(graph.input("x", "float32", [3]), 1));
  const program = await engine.compile(graph);
  let x = await engine.upload(tensor("float32", [3], [1, 2, 3]));
  for (let step = 0; step < 3; step++) {
    const { next } = await program.run({ x }, { keep: ["next"] });
    x.dispose();
    x = next;
  }
  const result = toNumbers(await engine.download(x));
  x.dispose();
  program.dispose();
  return result;
};

globalThis.apart = async (provider) => {
  const engine = await createEngine({
    provider,
    wasm: "/onnxruntime/",
    worker: () => new Worker("/built/web-worker.js", { type: "module" }),
    inlineWeights: 0,
  });
  const numbers = Float32Array.from({ length: 2000 }, (_, i) => i + 1);
  const graph = new Graph();
  const weights = graph.constant(tensor("float32", [2000, 1], numbers));
  graph.output("y", matMul(graph.input("x", "float32", [1, 2000]), weights));
  const { y } = await run(engine, graph, { x: tensor("float32", [1, 2000], new Float32Array(2000).fill(1)) });
  await engine.dispose();
  return [toNumbers(y!)[0]!, numbers.length];
};

globalThis.fold = async (provider) => {
  const { evaluate } = await engineOf(provider);
  const graph = new Graph();
  graph.output("y", add(graph.constant(tensor("int64", [2], [1, 2 ** 40])), graph.constant(tensor("int64", [1], [1]))));
  return toNumbers((await evaluate(graph)).y!);
};
