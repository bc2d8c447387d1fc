import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { Random } from "../../engine/tensor/random.js";
import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { initialState, networkModel } from "../../vision/nn/model.js";
import { findNetwork, type NetworkConfiguration } from "../../vision/nn/networks/index.js";
import { type ModelSpecInput, parseModelSpec } from "../../vision/spec/model-spec.js";
import { measureResets, type ProbeBatch, type ResetUnit } from "./measure-resets.js";
import { measureModel } from "./measures.js";
import { type Probe, probeOf } from "./probe.js";
import { schemeSource } from "./resets.js";
import { cutModel } from "./segments.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const random = new Random(0, "measure-resets");
const image = (batch: number, size: number) =>
  tensor(
    "float32",
    [batch, 3, size, size],
    Float32Array.from({ length: batch * 3 * size * size }, () => random.uniform()),
  );

async function probe(
  configuration: NetworkConfiguration,
  task: ModelSpecInput["task"],
  batch: number,
  size: number,
): Promise<Probe> {
  const { network } = findNetwork(configuration);
  const shapes = { image: [batch, 3, size, size] };
  const file = networkModel(network, initialState(network, shapes, 1), shapes);
  return probeOf(file, parseModelSpec({ task }), { batch, height: size, width: size }, engine.evaluate);
}

const unet: NetworkConfiguration = {
  family: "unet",
  width: 4,
  levels: 2,
  outputChannels: 3,
  normalization: "batch",
  output: "plain",
};

/** The whole network with the unit's weights written in: the loop that the method describes. */
async function plainLoop(
  { graph, kind }: Probe,
  batch: ProbeBatch,
  unit: ResetUnit,
  source: ReturnType<typeof schemeSource>,
): Promise<Float32Array> {
  const model = graph.build();
  const initializers = new Map<string, Tensor>(model.graph.initializers);
  for (const layer of unit.layers) for (const [name, t] of source(layer, unit.trial)) initializers.set(name, t);
  const changed: OnnxModel = { ...model, graph: { ...model.graph, initializers } };
  const [intact, reset] = [await runModel(model, batch.images), await runModel(changed, batch.images)];
  const shape = intact.prediction!.shape;
  const { sums } = await runModel(measureModel(kind, shape), {
    intact: intact.prediction!,
    reset: reset.prediction!,
    weight: batch.weight,
    ...(batch.labels && { labels: batch.labels }),
  });
  return sums!.data as Float32Array;
}

describe("resets through the suffix", () => {
  it.each([
    ["segmentation", "classes", 1],
    ["segmentation", "classes", 1e9],
    ["restoration", "continuous", 1e5],
  ] as const)("equal the plain loop on a network with skips: %s, %s, cut for %d runs", async (task, kind, runs) => {
    const [batch, size] = [2, 16];
    const made = await probe(unet, task, batch, size);
    expect(made.kind).toBe(kind);
    const weight = tensor(
      "float32",
      [batch, size, size],
      Float32Array.from({ length: batch * size * size }, (_, i) => (i % 5 === 0 ? 0 : 1)),
    );
    const labels = tensor(
      "int64",
      [batch, size, size],
      Array.from({ length: batch * size * size }, (_, i) => i % 3),
    );
    const batches = [0, 1].map(
      (): ProbeBatch => ({ images: { image: image(batch, size) }, weight, ...(kind === "classes" && { labels }) }),
    );
    const source = schemeSource("framework", 3);
    const single = made.layers.map((layer): ResetUnit => ({ layers: [layer], trial: 0 }));
    const groups: ResetUnit[] = [
      { layers: made.layers.filter((_, i) => i % 3 === 1), trial: 1 },
      { layers: made.layers, trial: 0 },
    ];
    let seen = 0;
    const context = { engine, runs, ...made };
    for await (const { unit, sums, count } of measureResets(context, batches, [...groups, ...single], source)) {
      expect(count).toBe(batches.length * weight.data.reduce((a, b) => a + b, 0));
      if (!unit) continue;
      seen++;
      const expected: Float32Array[] = [];
      for (const b of batches) expected.push(await plainLoop(made, b, unit, source));
      Object.values(sums).forEach((found, m) => {
        const sum = expected.reduce((s, e) => s + e[2 * m]! + e[2 * m + 1]!, 0);
        expect(Math.abs(found - sum)).toBeLessThan(2e-3 * Math.abs(sum) + 2e-3);
      });
    }
    expect(seen).toBe(single.length + 2);
  });

  it("cuts a deep network where many resets pay for it, and hardly where few do", async () => {
    const deep: NetworkConfiguration = {
      family: "resnet",
      block: "bottleneck",
      blocks: [3, 4, 6, 3],
      width: 4,
      stem: "imagenet",
      classes: 5,
    };
    const { graph, layers } = await probe(deep, "classification", 1, 64);
    expect(layers.filter((l) => l.kind !== "batch normalization")).toHaveLength(54);
    const lengths = [1, 100, 10_000, 1e9].map((runs) => {
      const { nodes, segments, segmentsOf, entering } = cutModel(graph, layers, runs);
      expect(segments[0]!.from).toBe(0);
      expect(segments.at(-1)!.to).toBe(nodes.length);
      segments.slice(1).forEach((s, i) => expect(s.from).toBe(segments[i]!.to));
      expect(entering).toHaveLength(segments.length + 1);
      layers.forEach((layer, i) => {
        const reading = segments.flatMap(({ from, to }, s) =>
          nodes.slice(from, to).some((n) => n.inputs.some((v) => v?.name === layer.parameters[0]!.name)) ? [s] : [],
        );
        expect(segmentsOf[i]).toEqual(reading);
      });
      return segments.length;
    });
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect(lengths[0]).toBeLessThan(3);
    expect(lengths[3]).toBe(54);
  });
});

describe("measures", () => {
  it("of identical predictions are exactly 0, and samples that do not count add nothing, NaN or not", async () => {
    const z = tensor("float32", [2, 3], [1, 2, 3, Number.NaN, 0, 5]);
    const weight = tensor("float32", [2], [1, 0]);
    const { sums } = await runModel(measureModel("classes", [2, 3]), {
      intact: z,
      reset: z,
      weight,
      labels: tensor("int64", [2], [2, 2]),
    });
    expect(Array.from(sums!.data as Float32Array)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
  });

  it("of a change of the size of the prediction's own variation are one half", async () => {
    const y0 = image(1, 4);
    const shape = y0.shape;
    const means = [0, 1, 2].map((c) => y0.data.slice(c * 16, c * 16 + 16).reduce((a, b) => a + b, 0) / 16);
    const y = tensor(
      "float32",
      shape,
      y0.data.map((v, i) => means[Math.floor(i / 16)]! + 0 * v),
    );
    const weight = tensor("float32", [1, 4, 4], new Array(16).fill(1));
    const { sums } = await runModel(measureModel("continuous", shape), { intact: y0, reset: y, weight });
    expect(sums!.data[0] as number).toBeCloseTo(16 * 0.5, 4);
    expect(sizeOf(sums!.shape)).toBe(3);
  });
});
