/**
 * What does one reset cost? ResNet-50 (or another depth) at 224x224: every convolution and the classifier reset once, by the suffix runner and
 * by the plain loop, which writes the layer's weights and runs the whole network.
 *
 *     npx tsx bench/criticality.ts [batch, default 4] [resnet50 | resnet18, default resnet50]
 *
 * The plain loop here is its ideal: one session, constant weights, no copying; so the ratio is in forwards of the fastest kind. Times are given
 * as processor time of all threads too, which a busy machine disturbs less. Compiling is done once for any number of images, and told apart.
 */
import { foldBatchNormalization } from "../src/engine/compile/fold-batch-normalization.js";
import type { Engine } from "../src/engine/runtime/engine.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { Random } from "../src/engine/tensor/random.js";
import { tensor } from "../src/engine/tensor/tensor.js";
import { isWeighted } from "../src/methods/criticality/layer.js";
import { measureResets } from "../src/methods/criticality/measure-resets.js";
import { probeOf } from "../src/methods/criticality/probe.js";
import { schemeSource } from "../src/methods/criticality/resets.js";
import { initialState, networkModel } from "../src/vision/nn/model.js";
import { findNetwork } from "../src/vision/nn/networks/index.js";
import { parseModelSpec } from "../src/vision/spec/model-spec.js";

const batch = Number(process.argv[2] ?? 4);
const depth = process.argv[3] === "resnet18" ? "resnet18" : "resnet50";
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
async function spent<T>(work: () => Promise<T>): Promise<Spent & { readonly result: T }> {
  const [begin, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - begin, cpu: (user + system) / 1000, result };
}
const median = (times: readonly Spent[], of: keyof Spent) => times.map((t) => t[of]).sort((a, b) => a - b)[times.length >> 1]!;

const whole = await engine.compile(foldBatchNormalization(file));
await whole.run({ image });
const forwards: Spent[] = [];
for (let i = 0; i < 7; i++) forwards.push(await spent(() => whole.run({ image })));
const forward = { wall: median(forwards, "wall"), cpu: median(forwards, "cpu") };
whole.dispose();
console.log(
  `${depth}, batch ${batch}, ${engine.info.threads} threads: forward ${forward.wall.toFixed(0)} ms (${forward.cpu.toFixed(0)} ms of processor time)`,
);

const compiling = { wall: 0, cpu: 0, sessions: 0 };
const timed: Engine = {
  info: engine.info,
  evaluate: engine.evaluate,
  upload: (t) => engine.upload(t),
  download: (t) => engine.download(t),
  dispose: () => engine.dispose(),
  [Symbol.asyncDispose]: () => engine.dispose(),
  compile: async (...given) => {
    const { wall, cpu, result } = await spent(() => engine.compile(...given));
    compiling.wall += wall;
    compiling.cpu += cpu;
    compiling.sessions++;
    return result;
  },
};

const layers = probe.layers.filter((l) => isWeighted(l.kind));
const units = layers.map((l) => ({ layers: [l], trial: 0 }));
const ones = tensor("float32", [batch], new Array(batch).fill(1));
const none = tensor("int64", [batch], new Array(batch).fill(-1));
const source = schemeSource("framework", 0);
// drawn beforehand: what is measured is running, not drawing random numbers, which the plain loop needs as well
const drawn = new Map(layers.map((l) => [l, source(l, 0)]));
const batches = Array.from({ length: 3 }, () => ({ images: { image }, weight: ones, labels: none }));
const all = await spent(async () => {
  let last = performance.now();
  for await (const { unit } of measureResets({ engine: timed, ...probe }, batches, units, (l) => drawn.get(l)!)) {
    const now = performance.now();
    if (unit && process.env.VERBOSE)
      console.log(`${unit.layers[0]!.name.padEnd(24)} ${((now - last) / batches.length / forward.wall).toFixed(2)} forwards`);
    last = now;
  }
});
// the intact network's run and the activations on the way are part of it
const each = (of: keyof Spent) => (all[of] - compiling[of]) / batches.length / layers.length;
console.log(
  `${layers.length} resets: ${each("wall").toFixed(0)} ms each and batch (${each("cpu").toFixed(0)} ms of processor time), that is ${(each("wall") / forward.wall).toFixed(2)} of a forward by the clock, ${(each("cpu") / forward.cpu).toFixed(2)} by processor time; the plain loop takes 1`,
);
console.log(`compiled once: ${compiling.sessions} sessions in ${(compiling.wall / 1000).toFixed(1)} s`);
