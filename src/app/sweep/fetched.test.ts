import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Graph } from "../../engine/graph/graph.js";
import { readModel } from "../../engine/onnx/read-file.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { add } from "../../engine/operators/index.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { fetchedPlaces } from "./fetched.js";
import type { SweepPlan } from "./plan-file.js";

const folder = mkdtempSync(join(tmpdir(), "faultline-fetched-"));
let server: Server;
let address: string;

/** Serves a model that holds its weights, whole.onnx, and one that keeps them beside itself, large.onnx. */
beforeAll(async () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [1024]);
  graph.output("y", add(x, graph.constant(tensor("float32", [1024], new Float32Array(1024).fill(2)))));
  await saveModel(graph.build(), join(folder, "whole.onnx"));
  await saveModel(graph.build(), join(folder, "large.onnx"), { weights: "beside" });
  server = createServer((request, response) =>
    response.end(readFileSync(join(folder, basename(new URL(request.url!, "http://local").pathname)))),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as { port: number }).port}/models`;
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const placesOf = (model: string) =>
  fetchedPlaces({ models: [{ path: model }], data: "synthetic:8,length=1" } as unknown as SweepPlan, folder, () => {});

it("brings a model from its address", async () => {
  const places = await placesOf(`${address}/whole.onnx`);
  const { graph } = await readModel(places(`${address}/whole.onnx`));
  expect(graph.nodes.map((n) => n.op)).toEqual(["Add"]);
});

it("refuses a model whose weights lie beside it, and names the files to download", async () => {
  await expect(placesOf(`${address}/large.onnx?token=1`)).rejects.toThrow(
    /models\/large\.onnx keeps its weights beside itself, in large\.onnx\.data, and an address brings one file; download all of them/,
  );
});

it("says of an address in a path's place what is to be done", async () => {
  await expect(readModel(`${address}/whole.onnx`)).rejects.toThrow(
    /whole\.onnx: this is an address, .*; download it, .* give the path\.$/,
  );
});
