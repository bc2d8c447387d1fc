import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients, vectorJacobianProduct } from "../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { mul, reshape, slice, tanh } from "../../engine/operators/index.js";
import { createEngine } from "../../engine/runtime/node.js";
import { parseSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../engine/testing/run-model.js";
import { boundaryReading } from "./boundary.js";
import { exactReading } from "./exact.js";
import { toImageGrid } from "./image-grid.js";
import { interiorReading } from "./interior.js";
import { type LayoutName, layouts } from "./layouts/index.js";
import { jitteredAlong, jitteredOffsets, type Size } from "./samples.js";

interface GoldenFile {
  readonly file: string;
  readonly layout: LayoutName;
  readonly sensor: Size;
  readonly spp: number;
  readonly exact_tolerance: Readonly<Record<string, number>>;
}

const folder = new URL("../../../fixtures/sensor/", import.meta.url);
const { files } = JSON.parse(readFileSync(new URL("manifest.json", folder), "utf8")) as { files: GoldenFile[] };
const inside = (name: string) => files.filter(({ file }) => file.startsWith(`${name}/`)).map((f) => [f.file, f] as const);

function open({ file }: GoldenFile) {
  const { tensors } = parseSafetensors(readFileSync(new URL(file, folder)));
  return {
    values: (name: string) => toNumbers(tensors.get(name)!),
    float32: (name: string): Tensor<"float32"> => {
      const { shape, data } = tensors.get(name)!;
      return tensor("float32", shape, Array.from(data as ArrayLike<number>));
    },
  };
}
type Case = ReturnType<typeof open>;

const scalars = (vector: Value): Value[] => [0, 1].map((i) => reshape(slice(vector, [i], [i + 1]), []));

/** u [K, h, w, 2] as x and y [h·w, K]. */
function offsetsOf({ float32 }: Case): { x: Tensor<"float32">; y: Tensor<"float32"> } {
  const u = float32("u");
  const [count, height, width] = u.shape as [number, number, number, number];
  const axis = (which: number) =>
    tensor(
      "float32",
      [height * width, count],
      Array.from(
        { length: height * width * count },
        (_, i) => u.data[((i % count) * height * width + Math.floor(i / count)) * 2 + which]!,
      ),
    );
  return { x: axis(0), y: axis(1) };
}

/**
 * A reading's derivative by θ at each sensor pixel: the gradient of ⟨c, I⟩ is linear in c, and its derivative by c is that of I.
 */
function derivatives(graph: Graph, reading: Value, theta: readonly Value[]): Value[] {
  const c = graph.input("any", "float32", reading.shape);
  return vectorJacobianProduct([{ of: reading, cotangent: c }], theta).map((g) => gradients(g, [c])[0]!);
}

function expectClose(actual: Tensor | readonly number[], expected: readonly number[], tolerance: number): void {
  const numbers = "data" in actual ? toNumbers(actual) : actual;
  expect(numbers.length).toBe(expected.length);
  expect(Math.max(...numbers.map((v, i) => Math.abs(v - expected[i]!)))).toBeLessThan(tolerance);
}

const byParameter = (values: readonly number[], q: number) => values.filter((_, i) => i % 2 === q);

describe.each(inside("sensor"))("%s", (_, golden) => {
  const stored = open(golden);
  const layout = layouts[golden.layout];
  const image = stored.float32("image");

  test.each(checkedLevels)("reading and gradients for the given samples, optimization %s", async (level) => {
    const graph = new Graph();
    const x = graph.input("image", "float32", image.shape);
    const raw = graph.input("raw", "float32", [2]);
    const offsets = offsetsOf(stored);
    const theta = scalars(raw).map((v) => mul(tanh(v), 0.6));
    const reading = interiorReading(x, layout, theta, golden.sensor, {
      x: graph.constant(offsets.x),
      y: graph.constant(offsets.y),
    });
    const cotangent = graph.input("c", "float32", reading.shape);
    const [byImage, byRaw, ...byTheta] = vectorJacobianProduct([{ of: reading, cotangent }], [x, raw, ...theta]);
    const perPixel = derivatives(graph, reading, theta);
    for (const [name, value] of Object.entries({
      reading,
      byImage,
      byRaw,
      s: byTheta[0],
      t: byTheta[1],
      ds: perPixel[0],
      dt: perPixel[1],
    }))
      graph.output(name, value!);
    const out = await runModel(
      graph.build(),
      { image, raw: stored.float32("raw"), c: stored.float32("cotangent"), any: stored.float32("cotangent") },
      level,
    );
    expectClose(out.reading!, stored.values("output"), 2e-6);
    expectClose(out.byImage!, stored.values("grad.image"), 2e-5);
    expectClose(out.byRaw!, stored.values("grad.raw"), 1e-3);
    expectClose([...toNumbers(out.s!), ...toNumbers(out.t!)], stored.values("grad.theta"), 1e-3);
    expectClose(out.ds!, byParameter(stored.values("d_output_d_theta"), 0), 1e-4);
    expectClose(out.dt!, byParameter(stored.values("d_output_d_theta"), 1), 1e-4);
  });

  test.runIf(layout.pixels === "axis-aligned")("the exact mode is the integral, and its gradient the integral's", async () => {
    const graph = new Graph();
    const theta = scalars(graph.input("theta", "float32", [2]));
    const reading = exactReading(graph.constant(image), layout, theta, golden.sensor);
    const [ds, dt] = derivatives(graph, reading, theta);
    for (const [name, value] of Object.entries({ reading, ds, dt })) graph.output(name, value!);
    const out = await runModel(graph.build(), { theta: stored.float32("theta"), any: stored.float32("cotangent") });
    expectClose(out.reading!, stored.values("exact.output"), 2e-6);
    // The dense boundary integral: central differences err by 7e-4 where an edge lies on a center of the image's pixels.
    expectClose(out.ds!, byParameter(stored.values("exact.d_output_d_theta_boundary"), 0), 2e-4);
    expectClose(out.dt!, byParameter(stored.values("exact.d_output_d_theta_boundary"), 1), 2e-4);
  });

  test("both estimators' means tend to the true gradient", async () => {
    const draws = 256;
    const [height, width] = golden.sensor;
    const graph = new Graph();
    const input = (name: string, lines: number, count: number) => graph.input(name, "float32", [lines, count]);
    const theta = scalars(graph.input("theta", "float32", [2]));
    const offsets = { x: input("x", height * width, golden.spp), y: input("y", height * width, golden.spp) };
    const edges = {
      horizontal: input("horizontal", (height + 1) * width, golden.spp / 4),
      vertical: input("vertical", height * (width + 1), golden.spp / 4),
    };
    const pictures = graph.constant(image);
    const boundary = boundaryReading(pictures, layout, theta, golden.sensor, offsets, edges);
    const interior = interiorReading(pictures, layout, theta, golden.sensor, offsets);
    const c = graph.input("any", "float32", boundary.shape);
    const perPixel = (of: Value) => vectorJacobianProduct([{ of, cotangent: c }], theta).map((g) => gradients(g, [c])[0]!);
    Object.entries({ boundary, interior }).forEach(([name, of]) => {
      perPixel(of).forEach((g, q) => graph.output(`${name}.${q}`, g));
    });
    await using engine = await createEngine({ threads: 1 });
    const program = await engine.compile(graph.build());
    const names = ["boundary.0", "boundary.1", "interior.0", "interior.1"] as const;
    const sums = new Map(
      names.map((name) => [
        name,
        {
          mean: new Float64Array(image.shape[0]! * image.shape[1]! * height * width),
          square: new Float64Array(image.shape[0]! * image.shape[1]! * height * width),
        },
      ]),
    );
    for (let draw = 0; draw < draws; draw++) {
      const { x, y } = jitteredOffsets(golden.sensor, golden.spp, draw);
      const out = await program.run({
        theta: stored.float32("theta"),
        any: stored.float32("cotangent"),
        x,
        y,
        horizontal: jitteredAlong((height + 1) * width, golden.spp / 4, `${draw}/h`),
        vertical: jitteredAlong(height * (width + 1), golden.spp / 4, `${draw}/v`),
      });
      for (const name of names) {
        const { mean, square } = sums.get(name)!;
        toNumbers(out[name]!).forEach((v, i) => {
          mean[i]! += v / draws;
          square[i]! += (v * v) / draws;
        });
      }
    }
    // Boundary: the reference's standard deviation of a draw (independent samples; jittered ones spread less) and the bias of I and A
    // taken from 16 samples. Interior: the spread measured here.
    const truth = stored.values("exact.d_output_d_theta");
    const reference = (name: string) => stored.values(name);
    const { derivative_m_vs_half: blur = 0, derivative_vs_dense_boundary: blur2 = 0 } = golden.exact_tolerance;
    for (const q of [0, 1]) {
      const exact = byParameter(truth, q);
      const deviation = byParameter(reference("std_sampled_I"), q);
      const bias = byParameter(reference("bias_sampled_I"), q);
      const means = sums.get(`boundary.${q}` as "boundary.0")!;
      exact.forEach((v, i) => {
        const spread = Math.sqrt(Math.max(0, means.square[i]! - means.mean[i]! ** 2));
        expect(spread).toBeLessThan(1.3 * deviation[i]! + 1e-3);
        const allowed = (6 * deviation[i]!) / Math.sqrt(draws) + Math.abs(bias[i]!) + blur + blur2 + 1e-3;
        expect(Math.abs(means.mean[i]! - v)).toBeLessThan(allowed);
      });
      const samples = sums.get(`interior.${q}` as "interior.0")!;
      exact.forEach((v, i) => {
        const spread = Math.sqrt(Math.max(0, samples.square[i]! - samples.mean[i]! ** 2));
        // The ratio's bias is of the order of its variance.
        expect(Math.abs(samples.mean[i]! - v)).toBeLessThan((6 * spread) / Math.sqrt(draws) + blur + blur2 + 0.1 * spread + 1e-3);
      });
    }
  });
});

describe.each(inside("upsample"))("%s", (_, golden) => {
  test("predictions come back to the image's grid", async () => {
    const stored = open(golden);
    const graph = new Graph();
    const prediction = stored.float32("prediction");
    const x = graph.input("prediction", "float32", prediction.shape);
    const expected = stored.float32("output");
    const theta = scalars(graph.input("theta", "float32", [2]));
    const onImage = toImageGrid(x, layouts[golden.layout], theta, expected.shape.slice(2) as [number, number]);
    const cotangent = graph.input("c", "float32", onImage.shape);
    const [byPrediction] = vectorJacobianProduct([{ of: onImage, cotangent }], [x]);
    graph.output("y", onImage);
    graph.output("dx", byPrediction!);
    const out = await runModel(graph.build(), { prediction, theta: stored.float32("theta"), c: stored.float32("cotangent") });
    expectClose(out.y!, toNumbers(expected), 1e-5);
    expectClose(out.dx!, stored.values("grad.prediction"), 1e-4);
  });
});
