import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.js";
import { readModel } from "../../engine/onnx/read-file.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { conv, relu, resize } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { tensor } from "../../engine/tensor/tensor.js";
import type { Comparison } from "../spectrum/comparison.js";
import type { SpectrumResult } from "../spectrum/result.js";
import { faultline, scratch } from "./testing/scene.js";

const folder = scratch();
afterAll(() => folder.remove());

const model = folder.path("net.onnx");
beforeAll(async () => {
  const graph = new Graph();
  const random = new Random(1, "net");
  const weight = (shape: readonly number[], name: string) => {
    const size = shape.reduce((a, b) => a * b);
    return graph.constant(
      tensor(
        "float32",
        shape,
        Float32Array.from({ length: size }, () => random.normal(0, 0.3)),
      ),
      name,
      "weight",
    );
  };
  const x = graph.input("image", "float32", [1, 3, 32, 32]);
  const half = relu(conv(x, weight([6, 3, 3, 3], "down"), { strides: [2, 2], pads: [1, 1, 1, 1] }));
  const whole = resize(half, { scales: [1, 1, 2, 2], mode: "linear", coordinates: "half_pixel" });
  graph.output("out", conv(whole, weight([3, 6, 1, 1], "mix")));
  await saveModel(graph.build(), model);
});

describe("faultline retrofit", () => {
  it("writes a model that keeps its weights, and says what it changed and how far the output moved", async () => {
    const output = folder.path("net.flc.onnx");
    const { code, out } = await faultline("retrofit", model, "--down", "flc", "--up", "lctc-7", "-o", output);
    expect(code).toBe(0);
    expect(out).toContain("2 of 2 layers replaced. It takes image 1x3x32x32; height and width are fixed");
    expect(out).toMatch(/Conv -> "[^"]+" +strided convolution +3x32x32 -> 6x16x16 +flc/);
    expect(out).toMatch(/On 3 synthetic pictures of 32x32, the output moved by/);
    const { graph } = await readModel(output);
    for (const name of ["down", "mix"]) expect(graph.initializers.has(name), name).toBe(true);
    expect([...graph.initializers.keys()].some((name) => name.endsWith("large.weight"))).toBe(true);
    const { out: json } = await faultline("retrofit", model, "--up", "lctc-7", "--json", "-o", output);
    const { moved } = JSON.parse(json) as { moved: { relative: number }[] };
    expect(moved[0]!.relative).toBeLessThan(1e-5);
  });

  it("keeps height and width open where the file has them open", async () => {
    const open = folder.path("open.onnx");
    const file = await readModel(model);
    const shape = ["N", 3, "H", "W"];
    const graph = {
      ...file.graph,
      inputs: file.graph.inputs.map((i) => ({ ...i, shape })),
      outputs: file.graph.outputs.map((o) => ({ ...o, shape })),
    };
    await saveModel({ ...file, graph }, open);
    const output = folder.path("open.flc.onnx");
    const typed = ["retrofit", open, "--down", "flc", "--up", "lctc-7", "--shape", "image=1x3x32x32", "-o", output];
    const { code, out } = await faultline(...typed);
    expect(code).toBe(0);
    expect(out).toContain("2 of 2 layers replaced. It takes image Nx3xHxW; of any height and width, as before");
    expect((await readModel(output)).graph.inputs[0]!.shape).toEqual(shape);
    const fixed = await faultline(...typed, "--sides", "fixed");
    expect(fixed.out).toContain("It takes image Nx3x32x32; height and width are fixed");
    expect((await readModel(output)).graph.inputs[0]!.shape).toEqual(["N", 3, 32, 32]);
  });

  it("writes nothing where nothing is asked for or can be replaced", async () => {
    const output = folder.path("nothing.onnx");
    expect((await faultline("retrofit", model, "-o", output)).err).toContain("say what is to be replaced, and by what");
    const plain = folder.path("plain.onnx");
    const graph = new Graph();
    graph.output("y", relu(graph.input("x", "float32", [1, 3, 8, 8])));
    await saveModel(graph.build(), plain);
    const { code, err } = await faultline("retrofit", plain, "--down", "flc", "-o", output);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining("has no layer that changes the resolution of a map; nothing was written."),
    ]);
    expect(existsSync(output)).toBe(false);
  });
});

describe("faultline spectrum", () => {
  it("measures every layer that changes the resolution, and the spectra under attack", async () => {
    const { code, out } = await faultline(
      ...["spectrum", model, "--task", "restoration", "--range", "0..1", "--images", "2", "--attack", "pgd", "--steps", "2"],
      ...["--out", folder.path("spectrum")],
    );
    expect(code).toBe(0);
    expect(out).toMatch(/Conv -> "[^"]+" +strided convolution +3x32x32 -> 6x16x16 +[\d.]+ % +above the new Nyquist limit/);
    const result = JSON.parse(readFileSync(folder.path("spectrum/spectrum.json"), "utf8")) as SpectrumResult;
    expect(result.places.map((p) => p.direction)).toEqual(["down", "up"]);
    for (const { share, shareWithoutMean, channels } of result.places) {
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(shareWithoutMean);
      expect(Math.max(...channels)).toBeLessThanOrEqual(1 + 1e-6);
    }
    expect(result.underAttack!.perturbation.some((v) => v > 0)).toBe(true);
    expect(result.underAttack!.prediction!.clean).toHaveLength(result.frequencies.length);
    expect(readFileSync(folder.path("spectrum/report.html"), "utf8")).toMatch(/<svg[\s\S]*What the attack adds/);
  });

  it("shows two models side by side", async () => {
    const made = folder.path("net.flc.onnx");
    await faultline("retrofit", model, "--up", "lctc-7", "-o", made);
    for (const [path, out] of [
      [model, "a"],
      [made, "b"],
    ] as const)
      await faultline("spectrum", path, "--images", "2", "--out", folder.path(out));
    const { code, out } = await faultline(
      ...["spectrum", "compare", folder.path("a"), folder.path("b"), "--out", folder.path("both")],
    );
    expect(code).toBe(0);
    expect(out).toContain("net.flc.onnx");
    expect(readFileSync(folder.path("both/report.html"), "utf8")).toContain("Spectra of net.onnx and net.flc.onnx");
    const { models, layers } = JSON.parse(readFileSync(folder.path("both/comparison.json"), "utf8")) as Comparison;
    expect(models).toEqual(["net.onnx", "net.flc.onnx"]);
    expect(layers.map(({ direction }) => direction)).toEqual(["down", "up"]);
    // Nothing was put in the place of the first layer.
    expect(layers[0]!.shares[1]).toBeCloseTo(layers[0]!.shares[0]!, 5);
    const printed = await faultline("spectrum", "compare", folder.path("a"), folder.path("b"), "--json");
    expect(JSON.parse(printed.out)).toEqual(JSON.parse(readFileSync(folder.path("both/comparison.json"), "utf8")));
    const file = await faultline("spectrum", "compare", folder.path("a"), folder.path("b"), "--out", folder.path("both.html"));
    expect(file.err).toContain("name a folder; report.html and comparison.json go there");
    const { err } = await faultline("spectrum", "compare", folder.path("a"), folder.path("nowhere"));
    expect(err).toContain("holds no spectrum");
  });
});
