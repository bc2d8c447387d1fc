/**
 * What does a training step cost, against eager PyTorch with the same network, loss and optimizer?
 *
 *     npx tsx bench/training.ts [networks, by part of their name] [--passes 5] [--runs 3] [--clock wall|processor]
 *
 * Both sides start from the same weights; blocks of steps alternate, each block's first step is not counted, ratios are taken within a pass,
 * and their median is reported. On a machine that is busy with other
 * work `--clock processor` counts processor time, with one thread on both sides. PyTorch is measured with both of glibc's ways to keep memory, and the faster one counts.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { lower } from "../src/engine/compile/lower.js";
import type { Graph } from "../src/engine/graph/graph.js";
import { writeModel } from "../src/engine/onnx/write.js";
import type { DeviceTensor, Engine } from "../src/engine/runtime/engine.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { Random } from "../src/engine/tensor/random.js";
import { type Shape, type Tensor, tensor } from "../src/engine/tensor/tensor.js";
import { trainingLoss } from "../src/methods/training/losses.js";
import { adamw } from "../src/methods/training/optimizers/index.js";
import { accumulateStep, predictionStep } from "../src/methods/training/train-step.js";
import { Trainer } from "../src/methods/training/trainer.js";
import { initialState, networkModel } from "../src/vision/nn/model.js";
import type { BenchNetwork } from "./networks/index.js";
import { clocks, readOptions } from "./options.js";
import { median, medianTime } from "./timing.js";
import { TorchPeer } from "./torch/peer.js";

const { networks, passes: passCount, runs, clock, python } = readOptions({ networks: ["NAFNet", "Restormer"] });
const threads = clock === "processor" ? 1 : 2;
const now = clocks[clock];
const engine = await createEngine({ threads });
console.log(
  `load ${loadavg()[0]!.toFixed(1)}, ${engine.info.runtime}, ${python ? "PyTorch beside it" : "no PyTorch found"}, ${threads} thread(s), ${clock} time`,
);
for (const network of networks) await measure(engine, network);
await engine.dispose();

async function measure(engine: Engine, { name, network, input }: BenchNetwork): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "faultline-bench-"));
  const inputs = { image: input };
  const state = initialState(network, inputs, 0);
  const [image, target] = [noise("image", input), noise("target", input)];
  const loss = trainingLoss("restoration", "l1");
  const options = { network, loss, optimizer: adamw(), learningRate: 1e-4, inputs, seed: 0 };
  const trainer = await Trainer.create(engine, options, { step: 0, network: state, optimizer: {} });
  const compile = (graph: Graph) => engine.compile(lower(graph, "cpu"));
  const programs = {
    forward: await compile(predictionStep(network, inputs)),
    gradient: await compile(accumulateStep(network, loss, inputs)),
  };
  let peer: TorchPeer | undefined;
  if (python) {
    const files = ["model.onnx", "image.f32", "target.f32"].map((file) => join(folder, file)) as [string, string, string];
    await writeFile(files[0], writeModel(networkModel(network, state, inputs)));
    await writeFile(files[1], image.data);
    await writeFile(files[2], target.data);
    peer = await TorchPeer.start(python, "training.py", [...files, clock]);
  }
  try {
    const { parameters } = trainer.layout;
    const gradient = await Promise.all(
      parameters.names("gradient").map(async (name, i) => [name, await engine.upload(parameters.zeros()[i]!)] as const),
    );
    const share = tensor("float32", [], [1]);
    const work = {
      forward: async () => {
        const feeds = { "images.image": image, ...trainer.weights() };
        const { prediction } = await programs.forward.run(feeds, { keep: ["prediction"], only: [] });
        prediction.dispose();
      },
      gradient: async () => {
        const feeds = {
          "images.image": image,
          target,
          "scalar.share": share,
          ...trainer.weights(),
          ...Object.fromEntries(gradient),
        };
        const keep = parameters.names("next.gradient");
        const held: Record<string, DeviceTensor> = await programs.gradient.run(feeds, { keep, only: [] });
        for (const vector of Object.values(held)) vector.dispose();
      },
      step: async () => {
        await trainer.step([{ images: { image }, target }]);
      },
    };
    const passes: Record<keyof typeof work | "torchGradient" | "torchStep", number>[] = [];
    for (let pass = 0; pass < passCount; pass++) {
      const times = { forward: 0, gradient: 0, step: 0, torchGradient: Number.NaN, torchStep: Number.NaN };
      for (const what of ["forward", "gradient", "step"] as const) times[what] = await medianTime(work[what], runs, now);
      if (peer) times.torchGradient = Math.min(...(await peer.time("gradient", runs)).map(median));
      if (peer) times.torchStep = Math.min(...(await peer.time("step", runs)).map(median));
      passes.push(times);
    }
    const of = (key: keyof (typeof passes)[number]) => median(passes.map((p) => p[key]));
    const ms = (value: number) => `${value.toFixed(0)} ms`;
    console.log(
      `${name} [${input.join(", ")}], ${trainer.layout.parameters.size} parameters: forward ${ms(of("forward"))}, + gradient ${ms(of("gradient"))}, whole step ${ms(of("step"))}`,
    );
    if (peer) {
      const ratio = median(passes.map((p) => p.torchStep / p.step));
      console.log(
        `  PyTorch: + gradient ${ms(of("torchGradient"))}, whole step ${ms(of("torchStep"))}; ours is ${ratio.toFixed(2)}x as fast (target 1x)`,
      );
    }
    for (const [, vector] of gradient) vector.dispose();
  } finally {
    peer?.stop();
    trainer.dispose();
    for (const program of Object.values(programs)) program.dispose();
    await rm(folder, { recursive: true });
  }
}

function noise(name: string, shape: Shape): Tensor<"float32"> {
  const t = tensor("float32", shape);
  const random = new Random(0, name);
  for (let i = 0; i < t.data.length; i++) t.data[i] = random.uniform();
  return t;
}
