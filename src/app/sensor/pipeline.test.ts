import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff/gradients.js";
import { specialize } from "../../engine/compile/specialize.js";
import { embed } from "../../engine/graph/embed.js";
import { Graph } from "../../engine/graph/graph.js";
import { parseModel } from "../../engine/onnx/read.js";
import { writeModel } from "../../engine/onnx/write.js";
import { mul, reduceSum } from "../../engine/operators/index.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { runModel } from "../../engine/testing/run-model.js";
import { throughSensor } from "../../methods/sensor/pipeline.js";
import { sensor } from "../../methods/sensor/sensor.js";
import { Batches } from "../../methods/training/batch.js";
import { trainingLoss } from "../../methods/training/losses.js";
import { adamw } from "../../methods/training/optimizers/index.js";
import { Trainer } from "../../methods/training/trainer.js";
import { streetDataset } from "../../vision/data/synthetic/street.js";
import { declarations, initialState, networkModel } from "../../vision/nn/model.js";
import { unet } from "../../vision/nn/networks/unet.js";
import { importedNetwork } from "../../vision/spec/imported-network.js";
import { fixedModel } from "../../vision/spec/model-predictor.js";
import { parseModelSpec } from "../../vision/spec/model-spec.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const classes = 8;
const small = (p: Parameters<typeof unet>[0], x: Parameters<typeof unet>[1] | undefined) =>
  unet(p, x!, { family: "unet", width: 4, levels: 1, outputChannels: classes, normalization: "batch", output: "plain" });

describe.each(["interior", "boundary", "exact"] as const)("a layout learned with a network, %s", (kind) => {
  const eye = sensor({
    layout: "rectangular",
    height: 8,
    width: 16,
    integration: kind === "exact" ? { kind } : { kind: "samples", count: 8, gradient: kind },
  });
  const network = throughSensor(eye, small, "pixel-wise");
  const loss = trainingLoss("segmentation");
  const scenes = streetDataset({ height: 32, width: 64, length: 12, seed: 1 });
  const batches = new Batches(scenes, loss, { size: 3, seed: 0, inputs: ["image"], augmentation: {} });
  const options = {
    network,
    loss,
    optimizer: adamw({ weightDecay: 0 }),
    learningRate: 0.01,
    inputs: { image: [3, 3, 32, 64] },
    groups: [{ of: ["sensor.*"], learningRate: 0.05 }],
    seed: 0,
  };
  const steps = async (trainer: Trainer, from: number, to: number) => {
    const losses: number[] = [];
    for (let i = from; i < to; i++) losses.push((await trainer.step([await batches.batch(i)])).loss);
    return losses;
  };

  test("lowers the loss, moves the layout, and goes on after an interruption with the same bits", async () => {
    const whole = await Trainer.create(engine, options);
    const losses = await steps(whole, 0, 14);
    const first = await Trainer.create(engine, options);
    await steps(first, 0, 6);
    const second = await Trainer.create(engine, options, await first.state());
    const rest = await steps(second, 6, 14);
    expect(rest).toEqual(losses.slice(6));
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
    const raw = await whole.parameter("sensor.raw");
    expect(toNumbers(raw)).toEqual(toNumbers(await second.parameter("sensor.raw")));
    expect(Math.max(...toNumbers(raw).map(Math.abs))).toBeGreaterThan(0.02);
    for (const trainer of [whole, first, second]) trainer.dispose();
  });

  test("is one ONNX file, which plain ONNX Runtime runs", async () => {
    const inputs = { image: [1, 3, 32, 64] };
    const state = initialState(network, inputs, 3);
    state.set("sensor.raw", tensor("float32", [2], [0.4, -0.3]));
    const file = writeModel(networkModel(network, state, inputs));
    const parsed = parseModel(file);
    expect(parsed.graph.inputs.map(({ name, shape }) => [name, shape])).toEqual([["image", [1, 3, 32, 64]]]);
    expect(new Set(parsed.graph.nodes.map((n) => n.domain))).toEqual(new Set([""]));
    const { inputs: images } = await scenes.sample(0);
    const image = tensor("float32", [1, 3, 32, 64], images.image!.data);
    const { output } = await runModel(file, { image });
    expect(output!.shape).toEqual([1, classes, 32, 64]);
    const other = new Map(state).set("sensor.raw", tensor("float32", [2]));
    const { output: uniform } = await runModel(networkModel(network, other, inputs), { image });
    expect(toNumbers(output!)).not.toEqual(toNumbers(uniform!));
    // An attack on the file reaches the scene: what no sample reads has gradient 0, most of it has another.
    const model = await specialize(parsed, {}, engine.evaluate);
    const graph = new Graph();
    const x = graph.input("image", "float32", inputs.image);
    const { outputs } = embed(graph, model, { image: x });
    graph.output("gradient", gradients(reduceSum(mul(outputs.output!, outputs.output!)), [x])[0]!);
    const { gradient } = await runModel(graph, { image });
    const reached = toNumbers(gradient!).filter((v) => v !== 0).length;
    expect(reached).toBeGreaterThan(0.5 * gradient!.data.length);
  });
});

describe("an imported model behind a sensor", () => {
  const folder = new URL("../../../fixtures/models/", import.meta.url);
  const file = parseModel(readFileSync(new URL("segmenter.onnx", folder)));
  const spec = parseModelSpec(JSON.parse(readFileSync(new URL("segmenter.spec.json", folder), "utf8")));
  const opened = async (batch: number) => [
    await fixedModel(file, spec, { batch, height: 96, width: 96 }, engine.evaluate, { keep: "weights" }),
  ];
  const eye = sensor({ layout: "rectangular", height: 96, width: 96, integration: { kind: "exact" } });
  const inputs = { image: [2, 3, 32, 64] };

  test("learns its layout alone, the model's weights untouched", async () => {
    const network = throughSensor(eye, importedNetwork(await opened(2), { spec }), "pixel-wise");
    expect([...declarations(network, inputs).keys()]).toEqual(["sensor.raw"]);
    const loss = trainingLoss("segmentation");
    const trainer = await Trainer.create(engine, { network, loss, optimizer: adamw(), learningRate: 0.05, inputs, seed: 0 });
    const scenes = streetDataset({ height: 32, width: 64, length: 4, seed: 2 });
    const batches = new Batches(scenes, loss, { size: 2, seed: 0, inputs: ["image"], augmentation: {} });
    for (let i = 0; i < 3; i++) await trainer.step([await batches.batch(i)]);
    expect(toNumbers(await trainer.parameter("sensor.raw")).every((v) => v !== 0)).toBe(true);
    trainer.dispose();
  });

  test("learns with the weights that are named, from the values they have", async () => {
    const network = throughSensor(eye, importedNetwork(await opened(2), { spec, trained: ["*"] }), "pixel-wise");
    const all = declarations(network, inputs);
    const weights = [...file.graph.initializers].filter(([, t]) => t.type === "float32");
    const names = [...all.keys()].filter((name) => name.startsWith("network."));
    expect(names.length).toBeGreaterThan(0);
    const state = initialState(network, inputs, 0);
    for (const name of names) {
      const [, value] = weights.find(([weight]) => `network.${weight}` === name) ?? [];
      if (value) expect(state.get(name)!.data).toEqual(value.data);
    }
    // The same predictions, whether weights are parameters or constants.
    const image = tensor(
      "float32",
      inputs.image,
      Array.from({ length: 2 * 3 * 32 * 64 }, (_, i) => (i % 97) / 97),
    );
    const fixed = throughSensor(eye, importedNetwork(await opened(1), { spec }), "pixel-wise");
    const own = new Map([...state].filter(([name]) => name.startsWith("sensor.")));
    const [a, b] = [
      await runModel(networkModel(network, state, inputs), { image }),
      await runModel(networkModel(fixed, own, inputs), { image }),
    ];
    const [ours, stored] = [toNumbers(a.output!), toNumbers(b.output!)];
    const difference = ours.reduce((most, v, i) => Math.max(most, Math.abs(v - stored[i]!)), 0);
    expect(difference).toBeLessThan(1e-4);
  });

  test("what does not fit is said", async () => {
    const models = await opened(2);
    expect(() => importedNetwork(models, { spec, trained: ["nothing.*"] })).toThrow(
      'The model has no trainable weight called "nothing.*"',
    );
    const other = throughSensor(
      sensor({ layout: "uniform", height: 8, width: 8 }),
      importedNetwork(models, { spec }),
      "pixel-wise",
    );
    expect(() => declarations(other, inputs)).toThrow("none of which fits [2, 3, 8, 8]");
    const wrong = throughSensor(eye, (_, x) => x!, "pixel-wise");
    expect(() => declarations(wrong, { a: [1, 3, 32, 64], b: [1, 3, 32, 64] })).toThrow("Through a sensor goes one image");
  });
});
