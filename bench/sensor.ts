/**
 * What does a training step through a sensor cost, layout and network together, against eager PyTorch with the same network, weights, samples,
 * loss and optimizer (interior estimator through grid_sample)? And what do the other ways to integrate cost?
 *
 *     npx tsx bench/sensor.ts [--passes 5] [--runs 3] [--clock wall|processor] [--python PATH]
 *
 * Blocks of steps of all sides alternate, each block's first step is not counted, ratios are taken within a pass, and their median is reported.
 * The losses of the first steps of both sides are compared before anything is timed. PyTorch is measured with both of glibc's ways to keep
 * memory, and the faster one counts. On a busy machine `--clock processor` counts processor time, with one thread on both sides.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine } from "../src/engine/runtime/node.js";
import { type Integration, jitteredOffsets, sensor, throughSensor } from "../src/methods/sensor/index.js";
import { collate } from "../src/methods/training/batch.js";
import { trainingLoss } from "../src/methods/training/losses.js";
import { adamw } from "../src/methods/training/optimizers/index.js";
import { Trainer } from "../src/methods/training/trainer.js";
import { streetClasses, streetDataset } from "../src/vision/data/synthetic/street.js";
import { initialState } from "../src/vision/nn/model.js";
import { unet } from "../src/vision/nn/networks/unet.js";
import { clocks, readOptions } from "./options.js";
import { median, medianTime } from "./timing.js";
import { TorchPeer } from "./torch/peer.js";

const { passes: passCount, runs, clock, python } = readOptions({});
const threads = clock === "processor" ? 1 : 2;
const now = clocks[clock];
const engine = await createEngine({ threads });
const loss = trainingLoss("segmentation");
const levels = 2;

console.log(
  `load ${loadavg()[0]!.toFixed(1)}, ${engine.info.runtime}, ${python ? "PyTorch beside it" : "no PyTorch found"}, ${threads} thread(s), ${clock} time`,
);
await measure("scenes 4 x 3 x 128 x 256, sensor 32 x 64", 4, [128, 256], [32, 64]);
await measure("scenes 2 x 3 x 512 x 1024, sensor 64 x 128", 2, [512, 1024], [64, 128]);
await engine.dispose();

async function measure(name: string, batch: number, scene: readonly [number, number], size: readonly [number, number]) {
  const scenes = streetDataset({ height: scene[0], width: scene[1], length: batch, seed: "bench" });
  const samples = await Promise.all(Array.from({ length: batch }, (_, i) => scenes.sample(i)));
  const { images, target } = collate(samples, loss, ["image"]);
  const inputs = { image: [batch, 3, ...scene] };
  const networkWith = (integration: Integration) => {
    const eye = sensor({ layout: "rectangular", height: size[0], width: size[1], integration });
    return throughSensor(
      eye,
      (p, x) =>
        unet(p, x!, {
          family: "unet",
          width: 8,
          levels,
          outputChannels: streetClasses.length,
          normalization: "batch",
          output: "plain",
        }),
      "pixel-wise",
    );
  };
  const integrations: Record<string, Integration> = {
    interior: { kind: "samples", count: 16, seed: 0, gradient: "interior" },
    boundary: { kind: "samples", count: 16, seed: 0, gradient: "boundary" },
    exact: { kind: "exact" },
  };
  const state = initialState(networkWith(integrations.interior!), inputs, 0);
  const trainers: Record<string, Trainer> = {};
  for (const [kind, integration] of Object.entries(integrations)) {
    const options = { network: networkWith(integration), loss, optimizer: adamw(), learningRate: 1e-3, inputs, seed: 0 };
    trainers[kind] = await Trainer.create(engine, options, { step: 0, network: state, optimizer: {} });
  }
  const folder = await mkdtemp(join(tmpdir(), "faultline-bench-"));
  let peer: TorchPeer | undefined;
  try {
    if (python) {
      const tensors = Object.fromEntries([...state].map(([key, { shape }]) => [key, shape]));
      const settings = { image: inputs.image, sensor: size, levels, tensors };
      await writeFile(join(folder, "settings.json"), JSON.stringify(settings));
      for (const [key, { data }] of state) await writeFile(join(folder, `tensor.${key}`), data as Float32Array);
      const offsets = jitteredOffsets(size, 16, 0);
      await writeFile(join(folder, "image"), images.image!.data);
      await writeFile(join(folder, "target"), target.data as BigInt64Array);
      await writeFile(join(folder, "offsets_x"), offsets.x.data);
      await writeFile(join(folder, "offsets_y"), offsets.y.data);
      peer = await TorchPeer.start(python, "sensor.py", [folder, clock]);
    }
    const step = async (kind: string) => (await trainers[kind]!.step([{ images, target }])).loss;
    const first = [await step("interior"), await step("interior"), await step("interior")];
    const theirs = peer && (await peer.losses("step", 3));
    if (theirs) {
      const apart = Math.max(...first.map((v, i) => Math.abs(v - theirs[i]!)));
      console.log(`${name}: losses ${first.map((v) => v.toFixed(5)).join(" ")}, PyTorch's differ by ${apart.toExponential(1)}`);
      if (!(apart < 1e-3)) throw new Error("The two sides do not compute the same; nothing is timed.");
    }
    const passes: Record<string, number>[] = [];
    for (let pass = 0; pass < passCount; pass++) {
      const times: Record<string, number> = {};
      for (const kind of Object.keys(integrations)) times[kind] = await medianTime(() => step(kind), runs, now);
      if (peer) times.torch = Math.min(...(await peer.time("step", runs)).map(median));
      passes.push(times);
    }
    const of = (key: string) => median(passes.map((p) => p[key]!));
    console.log(
      `  ours: ${Object.keys(integrations)
        .map((kind) => `${kind} ${of(kind).toFixed(0)} ms`)
        .join(", ")}`,
    );
    if (peer) {
      const ratio = (kind: string) => median(passes.map((p) => p.torch! / p[kind]!)).toFixed(2);
      console.log(
        `  PyTorch, interior: ${of("torch").toFixed(0)} ms; ours is ${ratio("interior")}x as fast with the same estimator (target 1x), ${ratio("boundary")}x with boundary integrals, ${ratio("exact")}x exactly`,
      );
    }
  } finally {
    peer?.stop();
    for (const trainer of Object.values(trainers)) trainer.dispose();
    await rm(folder, { recursive: true });
  }
}
