/**
 * Where does the time of a network's forward + gradient graph go? Kernel times by operator, after ONNX Runtime's own optimization.
 *
 *     npx tsx bench/profile.ts <network, part of its name> [ours|none|forward] [operators|shapes] [threads, default 2]
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { lower } from "../src/engine/compile/lower.js";
import { writeModel } from "../src/engine/onnx/write.js";
import { gradientOf, imageFor } from "./gradient-model.js";
import { benchNetworks, forwardGraph } from "./networks/index.js";
import { named, oneOf, readArguments, wholeNumber } from "./options.js";

const usage = "bench/profile.ts [network] [ours|none|forward] [operators|shapes] [threads]";
const [name, which, by, threads] = readArguments(usage, ["ResNet", "ours", "operators", "2"]);
const network = named(benchNetworks, [name])[0]!;
const graph = oneOf("The graph", which, ["ours", "none", "forward"]);
const withShapes = oneOf("What is summed up", by, ["operators", "shapes"]) === "shapes";
const forward = forwardGraph(network);
const model = graph === "forward" ? forward : graph === "none" ? gradientOf(forward) : lower(gradientOf(forward), "cpu");

const runs = 8;
const folder = await mkdtemp(join(tmpdir(), "faultline-profile-"));
const session = await ort.InferenceSession.create(writeModel(model.build()), {
  enableProfiling: true,
  profileFilePrefix: join(folder, "ort"),
  intraOpNumThreads: wholeNumber("The number of threads", threads),
  logSeverityLevel: 3,
});
const image = imageFor(network);
for (let i = 0; i <= runs; i++) await session.run({ x: new ort.Tensor("float32", image.data, image.shape) });
session.endProfiling();
await session.release();

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly ts: number;
  readonly args?: { readonly op_name?: string; readonly output_type_shape?: readonly Record<string, readonly number[]>[] };
}
const [file] = await readdir(folder);
const events = (JSON.parse(await readFile(join(folder, file!), "utf8")) as Event[]).filter(
  (e) => e.name === "model_run" || e.cat === "Node",
);
const warm = events.filter((e) => e.name === "model_run").sort((a, b) => a.ts - b.ts)[0]!;
const after = events.filter((e) => e.ts > warm.ts + warm.dur);
// The shortest run of each node counts: other load on the machine only ever adds.
const nodes = new Map<string, { key: string; ms: number }>();
for (const e of after) {
  if (!e.name.endsWith("_kernel_time")) continue;
  const shape = withShapes ? ` ${JSON.stringify(Object.values(e.args?.output_type_shape?.[0] ?? {})[0])}` : "";
  const ms = Math.min(nodes.get(e.name)?.ms ?? Number.POSITIVE_INFINITY, e.dur / 1000);
  nodes.set(e.name, { key: `${e.args?.op_name}${shape}`, ms });
}
const total = new Map<string, { ms: number; count: number }>();
for (const { key, ms } of nodes.values()) {
  const entry = total.get(key) ?? { ms: 0, count: 0 };
  total.set(key, { ms: entry.ms + ms, count: entry.count + 1 });
}
const wall = Math.min(...after.filter((e) => e.name === "model_run").map((e) => e.dur / 1000));
const kernels = [...total.values()].reduce((sum, { ms }) => sum + ms, 0);
console.log(`${network.name}, ${graph}: ${wall.toFixed(1)} ms, ${kernels.toFixed(1)} in kernels`);
for (const [op, { ms, count }] of [...total].sort((a, b) => b[1].ms - a[1].ms).slice(0, 30))
  console.log(`${ms.toFixed(2).padStart(8)} ms ${count.toFixed(0).padStart(5)} x ${op}`);
await rm(folder, { recursive: true });
