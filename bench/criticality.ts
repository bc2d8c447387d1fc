/**
 * What does one reset cost? ResNet-50 (or another depth) at 224x224: every convolution and the classifier reset three times, by the suffix runner and
 * by plain loops that run the whole network each time.
 *
 *     npx tsx bench/criticality.ts [batch, default 4] [resnet50 | resnet18, default resnet50]
 *
 * A reset's cost is the difference between work on 5 batches and on 1, so that what is done once (compiling) is told apart; the network is cut
 * as for 5. PyTorch's loop (bench/criticality.py) is ResNet-50's.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { foldBatchNormalization } from "../src/engine/compile/fold-batch-normalization.js";
import { specialize } from "../src/engine/compile/specialize.js";
import { neededNodes } from "../src/engine/graph/copy.js";
import type { DeviceTensor } from "../src/engine/runtime/engine.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { Random } from "../src/engine/tensor/random.js";
import { tensor } from "../src/engine/tensor/tensor.js";
import { isWeighted } from "../src/methods/criticality/layer.js";
import { measureResets } from "../src/methods/criticality/measure-resets.js";
import { probeOf } from "../src/methods/criticality/probe.js";
import { schemeSource } from "../src/methods/criticality/resets.js";
import { cutModel, graphOfNodes } from "../src/methods/criticality/segments.js";
import { initialState, networkModel } from "../src/vision/nn/model.js";
import { findNetwork } from "../src/vision/nn/networks/index.js";
import { parseModelSpec } from "../src/vision/spec/model-spec.js";
import { oneOf, readArguments, wholeNumber } from "./options.js";
import { findPython } from "./torch/peer.js";

const [batchSize, name] = readArguments("bench/criticality.ts [batch] [resnet18|resnet50]", ["4", "resnet50"]);
const batch = wholeNumber("The batch", batchSize);
const depth = oneOf("The network", name, ["resnet18", "resnet50"]);
const { network } = findNetwork({
  family: "resnet",
  block: depth === "resnet50" ? "bottleneck" : "basic",
  blocks: depth === "resnet50" ? [3, 4, 6, 3] : [2, 2, 2, 2],
  width: 64,
  stem: "imagenet",
  classes: 1000,
});
const shapes = { image: [batch, 3, 224, 224] };
const file = networkModel(network, initialState(network, shapes, 0), shapes);
await using engine = await createEngine();
const spec = parseModelSpec({ task: "classification" });
const probe = await probeOf(file, spec, { batch, height: 224, width: 224 }, engine.evaluate);
const random = new Random(0, "bench");
const image = tensor(
  "float32",
  shapes.image,
  Float32Array.from({ length: batch * 3 * 224 * 224 }, () => random.uniform()),
);

/** Milliseconds on the clock, and of processor time. */
interface Spent {
  readonly wall: number;
  readonly cpu: number;
}
async function spent(work: () => Promise<unknown>): Promise<Spent> {
  const [begin, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - begin, cpu: (user + system) / 1000 };
}

const [fewest, most] = [1, 5];
const trials = 3;
const python = depth === "resnet50" ? findPython(["python3", "/usr/bin/python3"]) : undefined;
const whole = await engine.compile(foldBatchNormalization(await specialize(file, {}, engine.evaluate)));
/** One session whose weights are all inputs: how a loop over resets can run at all without compiling for each. */
const parameters = new Set(probe.layers.flatMap((l) => l.parameters.map((p) => p.name)));
const outputs = [...probe.graph.outputs.values()];
const opened = foldBatchNormalization(graphOfNodes(neededNodes(outputs), new Set(outputs), parameters));
const plain = await engine.compile(opened);
const feeds: Record<string, DeviceTensor> = {};
for (const { name } of plain.inputs) feeds[name] = await engine.upload(probe.graph.values.get(name)?.constant ?? image);

const layers = probe.layers.filter((l) => isWeighted(l.kind));
const units = layers.flatMap((l) => Array.from({ length: trials }, (_, trial) => ({ layers: [l], trial })));
const ones = tensor("float32", [batch], new Array(batch).fill(1));
const none = tensor("int64", [batch], new Array(batch).fill(-1));
const source = schemeSource("framework", 0);
// drawn beforehand: what is measured is running, not drawing random numbers, which the plain loop needs as well
const drawn = new Map(layers.map((l) => [l, source(l, 0)]));

/** All layers reset on some batches, cut as for `most`. */
async function resets(batches: number): Promise<Spent> {
  const probes = Array.from({ length: batches }, () => ({ images: { image }, weight: ones, labels: none }));
  return spent(async () => {
    for await (const _ of measureResets({ engine, runs: trials * most, ...probe }, probes, units, (l) => drawn.get(l)!));
  });
}

interface Round {
  readonly forward: Spent;
  readonly loop: Spent;
  /** A reset of a batch. */
  readonly each: number;
  readonly cpu: number;
  readonly once: number;
  readonly torch: number | undefined;
}
const rounds: Round[] = [];
for (let round = 0; round < 3; round++) {
  const forward = await middle(() => whole.run({ image }));
  const loop = await middle(() => plain.run(feeds));
  const [few, many] = [await resets(fewest), await resets(most)];
  const torch = python ? await torchLoop(python) : undefined;
  const each = (many.wall - few.wall) / (most - fewest) / units.length;
  const cpu = (many.cpu - few.cpu) / (most - fewest) / units.length;
  rounds.push({ forward, loop, each, cpu, once: few.wall - fewest * units.length * each, torch });
}
const middleOf = (of: (round: Round) => number) => rounds.map(of).sort((a, b) => a - b)[1]!;
const { segments } = cutModel(probe.graph, probe.layers, trials * most);
console.log(
  [
    `${depth}, batch ${batch}, ${engine.info.threads} threads, ${layers.length} layers in ${segments.length} segments (two sessions each); medians of 3 rounds`,
    "",
    "one reset of one batch, over                        clock   processor",
    `a forward with constant weights (the fastest)       ${middleOf((r) => r.each / r.forward.wall).toFixed(2)}    ${middleOf((r) => r.cpu / r.forward.cpu).toFixed(2)}`,
    `the plain loop here: one session, weights as inputs ${middleOf((r) => r.each / r.loop.wall).toFixed(2)}    ${middleOf((r) => r.cpu / r.loop.cpu).toFixed(2)}`,
    python
      ? `the plain loop in PyTorch                           ${middleOf((r) => r.each / r.torch!).toFixed(2)}`
      : "the plain loop in PyTorch: not measured, no Python with PyTorch",
    "",
    `forward ${middleOf((r) => r.forward.wall).toFixed(0)} ms; once for any number of batches (compiling, folding): ${(middleOf((r) => r.once) / 1000).toFixed(1)} s`,
  ].join("\n"),
);
await engine.dispose();

/** Median of seven runs. */
async function middle(work: () => Promise<unknown>): Promise<Spent> {
  const times: Spent[] = [];
  for (let i = 0; i < 7; i++) times.push(await spent(work));
  const median = (of: keyof Spent) => times.map((t) => t[of]).sort((a, b) => a - b)[3]!;
  return { wall: median("wall"), cpu: median("cpu") };
}

/** Milliseconds of a reset in the published loop. */
async function torchLoop(python: string): Promise<number> {
  const script = fileURLToPath(new URL("criticality.py", import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, `${batch}`]);
  return Number(/a reset (\d+) ms/.exec(stdout)![1]);
}
