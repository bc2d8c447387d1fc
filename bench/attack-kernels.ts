/**
 * What does an attack step add to its forward + gradient? Kernel times of ONNX Runtime, which a busy machine disturbs less than it does whole runs.
 *
 *     npx tsx bench/attack-kernels.ts [networks, by part of their name]
 *
 * One thread, of each kernel the least of several runs. A step adds those kernels that its forward + gradient lacks: kernels are paired by operator
 * and output shape, and of every kind the surplus counts, at the mean time of the kind.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { lower } from "../src/engine/compile/lower.js";
import type { Graph } from "../src/engine/graph/graph.js";
import { writeModel } from "../src/engine/onnx/write.js";
import { Random } from "../src/engine/tensor/random.js";
import { sizeOf } from "../src/engine/tensor/tensor.js";
import { stepGraph } from "../src/methods/attacks/ascent/step-graph.js";
import { cospgd, pgd } from "../src/methods/attacks/catalogue/index.js";
import { ascentOf } from "../src/methods/attacks/definition.js";
import { attackedNetwork, gradientGraph } from "./attack-graphs.js";
import { benchNetworks } from "./networks/index.js";
import { named } from "./options.js";

const runs = 8;
const stepOutputs = ["next.image", "loss", "objective", "zero_gradient", "nan_gradient"];

/** Milliseconds of every kernel by its kind. */
type Kernels = ReadonlyMap<string, readonly number[]>;

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name: string; readonly node_index?: string; readonly output_type_shape?: unknown };
}

async function kernels(graph: Graph, outputs: readonly string[]): Promise<Kernels> {
  const lowered = lower(graph, "cpu");
  const folder = await mkdtemp(join(tmpdir(), "faultline-kernels-"));
  const session = await ort.InferenceSession.create(writeModel(lowered.build()), {
    enableProfiling: true,
    profileFilePrefix: join(folder, "ort"),
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const random = new Random("bench", "kernels");
  const feeds = Object.fromEntries(
    lowered.inputs.map(({ name, type, shape }) => {
      const length = sizeOf(shape);
      const labels = () => BigInt64Array.from({ length }, () => BigInt(random.integer(2)));
      const data = type === "int64" ? labels() : Float32Array.from({ length }, () => random.uniform());
      return [name, new ort.Tensor(type as "float32", data as Float32Array, shape)];
    }),
  );
  for (let run = 0; run < runs; run++) await session.run(feeds, outputs);
  session.endProfiling();
  await session.release();
  const [file] = await readdir(folder);
  const events = JSON.parse(await readFile(join(folder, file!), "utf8")) as Event[];
  await rm(folder, { recursive: true });
  const least = new Map<string, { ms: number; kind: string }>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== "Node" || !name.endsWith("_kernel_time")) continue;
    const key = `${args.node_index} ${name}`;
    const kind = `${args.op_name} ${JSON.stringify(args.output_type_shape)}`;
    least.set(key, { ms: Math.min(dur / 1000, least.get(key)?.ms ?? Number.POSITIVE_INFINITY), kind });
  }
  const byKind = new Map<string, number[]>();
  for (const { ms, kind } of least.values()) byKind.set(kind, [...(byKind.get(kind) ?? []), ms]);
  return byKind;
}

const total = (times: readonly number[]) => times.reduce((a, b) => a + b, 0);

/** Milliseconds that a step adds. */
function added(step: Kernels, gradient: Kernels): number {
  return total(
    [...step].map(([kind, times]) => {
      const surplus = Math.max(0, times.length - (gradient.get(kind)?.length ?? 0));
      return (surplus * total(times)) / times.length;
    }),
  );
}

const wanted = process.argv.slice(2);
console.log("network            fwd + dX    PGD adds  CosPGD adds      PGD  CosPGD");
for (const network of wanted.length > 0 ? named(benchNetworks, wanted) : benchNetworks) {
  const { attacked } = attackedNetwork(network);
  const options = { norm: "l_inf", epsilon: 8 / 255, stepSize: 0.01 } as const;
  const gradient = await kernels(gradientGraph(attacked), ["loss", "dx"]);
  const all = total([...gradient.values()].flat());
  const extra = [
    added(await kernels(stepGraph(await ascentOf(pgd(options)), attacked), stepOutputs), gradient),
    added(await kernels(stepGraph(await ascentOf(cospgd(options)), attacked), stepOutputs), gradient),
  ];
  const ms = (t: number) => `${t.toFixed(1)} ms`.padStart(11);
  console.log(network.name.padEnd(17), ms(all), ...extra.map(ms), "  ", ...extra.map((t) => `${(1 + t / all).toFixed(3)}  `));
}
