/**
 * What does each rewrite gain? Processor time of a network's forward + dX with all rewrites, without any, and without each one.
 *
 *     npx tsx bench/rewrites.ts <network, part of its name> [rounds, default 5]
 *
 * One thread, and processor time instead of the clock: other load on the machine disturbs that least. The variants take turns; the shortest
 * run of each counts.
 */
import * as ort from "onnxruntime-node";
import { lower, rewriteStages } from "../src/engine/compile/lower.js";
import { neededNodes } from "../src/engine/graph/copy.js";
import type { Graph } from "../src/engine/graph/graph.js";
import { writeModel } from "../src/engine/onnx/write.js";
import { gradientOf, imageFor } from "./gradient-model.js";
import { benchNetworks, forwardGraph } from "./networks/index.js";
import { named, readArguments, wholeNumber } from "./options.js";

const [name, rounds] = readArguments("bench/rewrites.ts [network] [rounds]", ["ResNet", "5"]);
const network = named(benchNetworks, [name])[0]!;
const roundCount = wholeNumber("The number of rounds", rounds);
const forward = forwardGraph(network);
const gradient = gradientOf(forward);
const all = lower(gradient, "cpu");
const variants = new Map<string, Graph>([
  ["forward alone", forward],
  ["no rewrite", gradient],
  ["all rewrites", all],
]);
for (const rewrite of new Set(rewriteStages.flat())) {
  const without = lower(
    gradient,
    "cpu",
    rewriteStages.map((stage) => stage.filter((l) => l !== rewrite)),
  );
  if (fingerprint(without) !== fingerprint(all)) variants.set(`without ${rewrite.name}`, without);
}

function fingerprint(graph: Graph): string {
  return neededNodes(graph.outputs.values())
    .map((n) => n.operator.name)
    .join();
}

const image = imageFor(network);
const best = new Map<string, number>();
const sessions = new Map<string, ort.InferenceSession>();
for (const [variant, graph] of variants) {
  const options = {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  } as const;
  sessions.set(variant, await ort.InferenceSession.create(writeModel(graph.build()), options));
}
for (let round = 0; round <= roundCount; round++) {
  for (const [variant, session] of sessions) {
    const before = process.cpuUsage();
    await session.run({ x: new ort.Tensor("float32", image.data, image.shape) });
    const { user, system } = process.cpuUsage(before);
    if (round > 0) best.set(variant, Math.min(best.get(variant) ?? Number.POSITIVE_INFINITY, (user + system) / 1000));
  }
}
const reference = best.get("all rewrites")!;
console.log(`${network.name}, processor time on one thread`);
for (const [variant, ms] of best) console.log(`${ms.toFixed(1).padStart(8)} ms ${(ms / reference).toFixed(3)} ${variant}`);
