import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.js";
import { readModel } from "../../engine/onnx/read-file.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { add, conv, mul, softmax } from "../../engine/operators/index.js";
import { createEngine } from "../../engine/runtime/node.js";
import { Random } from "../../engine/tensor/random.js";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { faultline, scratch } from "./testing/scene.js";

const folder = scratch();
const path = folder.path("deep.onnx");
const random = new Random(4, "deep");
const numbers = (shape: readonly number[], deviation: number): Tensor =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal(0, deviation)),
  );

beforeAll(async () => {
  const graph = new Graph();
  let h = graph.input("x", "float32", [1, 3, 24, 24]);
  for (let i = 0; i < 10; i++) {
    const wide = conv(h, graph.constant(numbers([16, 3, 3, 3], 0.4), `wide${i}`), { pads: [1, 1, 1, 1] });
    h = add(h, conv(mul(wide, softmax(wide, 1)), graph.constant(numbers([3, 16, 1, 1], 0.5), `narrow${i}`)));
  }
  graph.output("y", h);
  await saveModel(graph.build(), path);
});
afterAll(() => folder.remove());

it("grad says which files it wrote, and how much memory its gradient takes", async () => {
  const plain = folder.path("plain.onnx");
  const [less, beside] = [folder.path("less.onnx"), folder.path("beside.onnx")];
  const first = await faultline("grad", path, "-o", plain);
  expect(first.out).toMatch(new RegExp(`^${plain}: \\d+ nodes`));
  const second = await faultline("grad", path, "--memory", "500KiB", "-o", less);
  expect(second.err).toBe("");
  expect(second.out).toMatch(/^memory: inner values take about 0\.000 GiB instead of 0\.00\d; \d+ nodes are computed again$/m);
  const third = await faultline("grad", path, "--memory", "600KiB", "--external-data", "-o", beside);
  expect(third.out).toMatch(new RegExp(`^${beside}, ${beside}\\.data: \\d+ nodes`));
  expect(existsSync(`${beside}.data`)).toBe(true);

  await using engine = await createEngine({ threads: 1, optimization: "extended" });
  const x = numbers([1, 3, 24, 24], 1);
  const run = async (model: Parameters<typeof engine.compile>[0]) => (await engine.compile(model)).run({ x, "v.y": x });
  const want = await run({ path: plain });
  for (const file of [less, beside]) {
    expect(await run({ path: file })).toEqual(want);
    expect(await run(await readModel(file))).toEqual(want);
  }
  // It is a model like any other.
  expect((await faultline("inspect", less)).out).toMatch(/^gradient {4}exists/m);
});

it("says what the least is where the memory cannot be met, and writes nothing", async () => {
  const { code, err } = await faultline("grad", path, "--memory", "50KiB", "-o", folder.path("none.onnx"));
  expect(code).toBe(1);
  expect(err).toMatch(
    /^faultline: 0\.1 MiB of memory are not enough: the least that recomputing reaches is 0\.\d MiB, of \d\.\d MiB/,
  );
  expect(existsSync(folder.path("none.onnx"))).toBe(false);
  for (const wrong of ["4GX", "-1", "0", "lots"])
    expect((await faultline("grad", path, "--memory", wrong, "-o", folder.path("none.onnx"))).err).toMatch(
      /for example 4GiB or 500MB/,
    );
});

it("attack and compile take the flag too", async () => {
  const image = numbers([1, 3, 24, 24], 0);
  (image.data as Float32Array).fill(0.5);
  const tensors = folder.path("in.safetensors");
  writeFileSync(tensors, writeSafetensors(new Map([["x", image]])));
  const result = async (name: string, ...more: string[]) => {
    const out = folder.path(name);
    const flags = ["--task", "restoration", "--input", tensors, "--steps", "2", "--optimization", "extended", "--out", out];
    const { code, err } = await faultline("attack", path, ...flags, ...more);
    expect(code, err).toBe(0);
    return readFileSync(out);
  };
  expect(Buffer.compare(await result("a.safetensors"), await result("b.safetensors", "--memory", "600KiB"))).toBe(0);
  const step = folder.path("step.onnx");
  const made = await faultline(
    ...["compile", path, "--task", "restoration", "--attack", "pgd", "--memory", "600KiB", "--external-data", "-o", step],
  );
  expect(made.code, made.err).toBe(0);
  expect(made.out).toMatch(new RegExp(`^${step}, ${step}\\.data: \\d+ nodes, opset \\d+\nmemory: .* nodes are computed again\n`));
});
