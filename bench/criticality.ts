/**
 * What does one reset cost? ResNet-50 (or another depth) at 224x224: every convolution and the classifier reset once, by the suffix runner and
 * by the plain loop, which writes the layer's weights and runs the whole network.
 *
 *     npx tsx bench/criticality.ts [batch, default 4] [resnet50 | resnet18, default resnet50]
 *
 * The plain loop here is its ideal: one session, constant weights, no copying; so the ratio is in forwards of the fastest kind.
 */
import { foldBatchNormalization } from "../src/engine/compile/fold-batch-normalization.js";
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

const whole = await engine.compile(foldBatchNormalization(file));
const times: number[] = [];
for (let i = 0; i < 8; i++) {
  const begin = performance.now();
  await whole.run({ image });
  times.push(performance.now() - begin);
}
const forward = times.slice(2).sort((a, b) => a - b)[3]!;
whole.dispose();
console.log(`${depth}, batch ${batch}, ${engine.info.threads} threads: forward ${forward.toFixed(1)} ms`);

const layers = probe.layers.filter((l) => isWeighted(l.kind));
const units = layers.map((l) => ({ layers: [l], trial: 0 }));
const ones = tensor("float32", [batch], new Array(batch).fill(1));
const none = tensor("int64", [batch], new Array(batch).fill(-1));
const source = schemeSource("framework", 0);
// drawn beforehand: what is measured is running, not drawing random numbers, which the plain loop needs as well
const drawn = new Map(layers.map((l) => [l, source(l, 0)]));
const batches = Array.from({ length: 4 }, () => ({ images: { image }, weight: ones, labels: none }));
const begin = performance.now();
let start = 0;
let last = begin;
for await (const { unit } of measureResets({ engine, ...probe }, batches, units, (l) => drawn.get(l)!)) {
  const now = performance.now();
  if (!unit) start = now - begin;
  else if (process.env.VERBOSE)
    console.log(`${unit.layers[0]!.name.padEnd(24)} ${((now - last) / batches.length / forward).toFixed(2)} forwards`);
  last = now;
}
const total = performance.now() - begin;
const perReset = total / batches.length / layers.length;
console.log(
  `${layers.length} resets: ${perReset.toFixed(1)} ms each and batch, ${(perReset / forward).toFixed(2)} of a forward, everything included (the intact network's run, ${(start / 1000).toFixed(1)} s, and compilation spread over ${batches.length} batches)`,
);
console.log(
  `the plain loop takes 1 forward: ${((layers.length * forward) / 1000).toFixed(1)} s for what took ${(total / batches.length / 1000).toFixed(1)} s`,
);
