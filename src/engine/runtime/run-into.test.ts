import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { Graph } from "../graph/graph.js";
import { encodeModel } from "../onnx/write.js";
import { add, gather } from "../operators/index.js";
import { tensor } from "../tensor/tensor.js";
import type { OrtModule } from "./host.js";
import { probePlacement, sequencePrefix } from "./run-into.js";

/** ONNX Runtime with another way to run. */
function runtime(
  run: (session: ort.InferenceSession, ...args: Parameters<ort.InferenceSession["run"]>) => Promise<unknown>,
): OrtModule {
  const create = async (model: Uint8Array, options: ort.InferenceSession.SessionOptions) => {
    const session = await ort.InferenceSession.create(model, options);
    return { release: () => session.release(), run: (...args: Parameters<ort.InferenceSession["run"]>) => run(session, ...args) };
  };
  return { Tensor: ort.Tensor, env: ort.env, InferenceSession: { create } as unknown as OrtModule["InferenceSession"] };
}

it("works with the ONNX Runtime that the package names", async () => {
  const runInto = (await probePlacement(ort))!;
  expect(runInto).toBeDefined();
  const graph = new Graph();
  graph.output("y", add(gather(graph.constant(tensor("float32", [4], [1, 2, 3, 4])), graph.input("i", "int64", [2])), 1));
  const { chunks } = encodeModel(graph.build()).message;
  const session = await ort.InferenceSession.create(Buffer.concat([sequencePrefix, ...chunks]));
  const given = new Float32Array(2);
  const run = (...indices: bigint[]) =>
    runInto(
      session,
      { i: new ort.Tensor("int64", BigInt64Array.from(indices), [2]) },
      { y: new ort.Tensor("float32", given, [2]) },
    );
  await run(0n, 3n);
  expect([...given]).toEqual([2, 5]);
  await expect(run(0n, 9n)).rejects.toThrow(/out of data bounds/);
  await session.release();
});

it("is not used where results are copied, arrays are left alone, or nothing can be loaded", async () => {
  const feeds = { x: new ort.Tensor("float32", Float32Array.of(1, -2), [2]) };
  expect(await probePlacement(runtime((session) => session.run(feeds, ["y"])))).toBeUndefined();
  expect(await probePlacement(runtime(() => Promise.reject(new Error("Non tensor type"))))).toBeUndefined();
  const filling = runtime(async (_, __, results) => {
    const { y } = results as unknown as Record<string, ort.Tensor>;
    (y!.data as Float32Array).set([-1, 2]);
    return { y: new ort.Tensor("float32", Float32Array.of(-1, 2), [2]) };
  });
  expect(await probePlacement(filling)).toBeUndefined();
  const unable = { ...runtime(async () => ({})), InferenceSession: { create: () => Promise.reject(new Error("no")) } };
  expect(await probePlacement(unable as unknown as OrtModule)).toBeUndefined();
});

it("is used without the refusal where results are left in place and that is all", async () => {
  const placing = runtime(async (_, __, results) => {
    const { y } = results as unknown as Record<string, ort.Tensor>;
    (y!.data as Float32Array).set([-1, 2]);
    return { y };
  });
  expect(await probePlacement(placing)).toBeDefined();
});
