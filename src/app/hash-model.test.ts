import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { Graph } from "../engine/graph/graph.js";
import { externalFiles } from "../engine/onnx/read-file.js";
import { saveModel } from "../engine/onnx/write-file.js";
import { mul } from "../engine/operators/index.js";
import { tensor } from "../engine/tensor/tensor.js";
import { scratch } from "./cli/testing/scene.js";
import { hashFile } from "./hash-file.js";
import { hashModel } from "./hash-model.js";

const folder = scratch();
afterAll(folder.remove);

it("a model's hash is of its weights, wherever they lie", async () => {
  const graph = new Graph();
  const weight = tensor("float32", [600], new Float32Array(600).fill(1));
  graph.output("y", mul(graph.input("x", "float32", [600]), graph.constant(weight)));
  const [inside, beside] = [folder.path("inside.onnx"), folder.path("beside.onnx")];
  await saveModel(graph.build(), inside);
  expect(await externalFiles(inside)).toEqual(new Map());
  expect(await hashModel(inside)).toBe(await hashFile(inside));
  await saveModel(graph.build(), beside, { weights: "beside" });
  const [[name, file]] = [...(await externalFiles(beside))] as [[string, string]];
  const before = await hashModel(beside);
  const bytes = readFileSync(file);
  writeFileSync(
    file,
    bytes.map((b, i) => (i === 5 ? b + 1 : b)),
  );
  expect(await hashModel(beside)).not.toBe(before);
  writeFileSync(file, bytes);
  expect(await hashModel(beside)).toBe(before);
  expect(name).toBe("beside.onnx.data");
});
