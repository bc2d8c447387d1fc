/**
 * What do FLC pooling and large transposed convolutions cost, against PyTorch and (FLC) against the operator DFT?
 *
 *     npx tsx bench/resampling.ts [cases, by part of their name] [--passes 5] [--runs 3] [--python PATH] [--torch off] [--clock wall|processor]
 *
 * Forward is y alone, gradient is y and the gradient of ½ Σ y² (LCTC: by x and the weights) in one graph. Passes alternate between all
 * programs; every block of runs begins with one that is not counted and its shortest run counts; ratios are taken within a pass, and their
 * median is reported. "tidy" is PyTorch whose shifts name their axes, as the published ones do
 * not; "products" is PyTorch with the matrix products that we have.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { gradients } from "../src/engine/autodiff/gradients.js";
import { lower } from "../src/engine/compile/lower.js";
import { Graph, type Value } from "../src/engine/graph/graph.js";
import { concat, dft, mul, reduceSum, reshape, slice } from "../src/engine/operators/index.js";
import type { DeviceTensor, Engine, Program } from "../src/engine/runtime/engine.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { Random } from "../src/engine/tensor/random.js";
import { type Shape, sizeOf, tensor } from "../src/engine/tensor/tensor.js";
import { flcPool, lctc } from "../src/vision/nn/resampling/index.js";
import { clocks, named, readOptions } from "./options.js";
import { median } from "./timing.js";
import { TorchPeer } from "./torch/peer.js";

type Case = { readonly name: string; readonly shape: Shape } & (
  | { readonly kind: "flc" }
  | { readonly kind: "lctc"; readonly kernels: readonly number[]; readonly groups: number }
);

const flc = (batch: number, channels: number, side: number): Case => ({
  kind: "flc",
  name: `FLC ${batch}x${channels}x${side}²`,
  shape: [batch, channels, side, side],
});
const transposed = (side: number, groups: number, ...kernels: number[]): Case => ({
  kind: "lctc",
  name: `LCTC ${kernels.join("+")} ${groups === 1 ? "full" : "grouped"} 96x${side}²`,
  shape: [1, 96, side, side],
  kernels,
  groups,
});
const cases: readonly Case[] = [
  ...[64, 128, 256, 512].map((side) => flc(1, 48, side)),
  ...[64, 128, 256].map((side) => flc(8, 48, side)),
  // Where does the operator DFT overtake products?
  ...[1024, 2048].map((side) => flc(1, 4, side)),
  ...[3, 7, 11, 15, 31].map((k) => transposed(32, 48, k)),
  transposed(32, 48, 11, 3),
  ...[3, 7, 11].map((k) => transposed(32, 1, k)),
];

/** FLC by transforms: both axes, the middle of the spectrum, both axes back. */
function flcByDft(x: Value): Value {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const middle = (v: Value, axis: number, size: number): Value => {
    const m = size / 2;
    return concat([slice(v, [0], [m / 2], { axes: [axis] }), slice(v, [size - m / 2], [size], { axes: [axis] })], axis);
  };
  let spectrum = middle(dft(reshape(x, [n * c, height, width, 1]), { axis: 2 }), 2, width);
  spectrum = middle(dft(spectrum, { axis: 1 }), 1, height);
  const back = dft(dft(spectrum, { axis: 1, direction: "inverse" }), { axis: 2, direction: "inverse" });
  return reshape(mul(slice(back, [0], [1], { axes: [3] }), 0.25), [n, c, height / 2, width / 2]);
}

function weightOf(x: Value, kernel: number, groups: number): Value {
  const out = x.shape[1]! / 2;
  const shape = [x.shape[1]!, out / groups, kernel, kernel];
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 0.7) / kernel);
  return x.graph.constant(tensor("float32", shape, values), `weight${kernel}`);
}

/** Outputs "y" and, for a gradient, "dx" and one for each weight. */
function graphOf(benched: Case, what: "forward" | "gradient" | "dft"): Graph {
  const graph = new Graph();
  const x = graph.input("x", "float32", benched.shape);
  const weights = benched.kind === "lctc" ? benched.kernels.map((k) => weightOf(x, k, benched.groups)) : [];
  const y =
    benched.kind === "lctc"
      ? lctc(x, { weight: weights[0]!, ...(weights[1] && { parallel: { weight: weights[1] } }), groups: benched.groups })
      : (what === "dft" ? flcByDft : flcPool)(x);
  graph.output("y", y);
  if (what === "gradient")
    gradients(mul(reduceSum(mul(y, y)), 0.5), [x, ...weights]).forEach((g, i) => {
      graph.output(i === 0 ? "dx" : `dw${i}`, g);
    });
  return lower(graph, "cpu");
}

interface Options {
  readonly passes: number;
  readonly runs: number;
  readonly clock: keyof typeof clocks;
  readonly python: string | undefined;
}

async function measure(benched: Case, engine: Engine, { passes, runs, clock, python }: Options): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "faultline-bench-"));
  const random = new Random("bench", benched.name);
  const image = tensor(
    "float32",
    benched.shape,
    Float32Array.from({ length: sizeOf(benched.shape) }, () => random.normal()),
  );
  const input = join(folder, "x.f32");
  await writeFile(input, image.data);
  const kinds = benched.kind === "flc" ? (["forward", "gradient", "dft"] as const) : (["forward", "gradient"] as const);
  const programs = new Map<string, Program>();
  for (const kind of kinds) programs.set(kind, await engine.compile(graphOf(benched, kind)));
  const peer = python ? await TorchPeer.start(python, "resampling.py", [JSON.stringify(benched), input, clock]) : undefined;
  try {
    const x = await engine.upload(image);
    const times = new Map<string, number[]>();
    const note = (what: string, ms: number) => times.set(what, [...(times.get(what) ?? []), ms]);
    for (let pass = 0; pass < passes; pass++) {
      for (const [kind, program] of programs) {
        let best = Number.POSITIVE_INFINITY;
        for (let run = 0; run <= runs; run++) {
          const begin = clocks[clock]();
          const results = await program.run({ x }, { keep: program.outputs.map(({ name }): string => name) });
          if (run > 0) best = Math.min(best, clocks[clock]() - begin);
          for (const result of Object.values(results) as DeviceTensor[]) result.dispose();
        }
        note(kind, best);
      }
      if (peer)
        for (const what of benched.kind === "flc" ? ["forward", "gradient", "tidy", "products"] : ["forward", "gradient"])
          note(`torch ${what}`, Math.min(...(await peer.time(what, runs)).flat()));
    }
    const { y } = await programs.get("forward")!.run({ x });
    const theirs = peer && (await peer.result(join(folder, "y.f32")));
    const ms = (what: string) => (times.has(what) ? `${median(times.get(what)!).toFixed(1)}` : "-");
    const over = (a: string, b: string) =>
      times.has(a) && times.has(b) ? median(times.get(a)!.map((t, i) => t / times.get(b)![i]!)).toFixed(1) : "-";
    return [
      benched.name,
      ms("forward"),
      ms("torch forward"),
      over("torch forward", "forward"),
      over("torch tidy", "forward"),
      over("torch products", "forward"),
      over("dft", "forward"),
      ms("gradient"),
      ms("torch gradient"),
      over("torch gradient", "gradient"),
      theirs ? disagreement(y!.data as Float32Array, theirs) : "-",
    ];
  } finally {
    peer?.stop();
    for (const program of programs.values()) program.dispose();
    await rm(folder, { recursive: true });
  }
}

function disagreement(ours: Float32Array, theirs: Float32Array): string {
  let [difference, norm] = [0, 0];
  ours.forEach((v, i) => {
    difference += (v - theirs[i]!) ** 2;
    norm += theirs[i]! ** 2;
  });
  return Math.sqrt(difference / norm).toExponential(0);
}

async function main(): Promise<void> {
  const options = readOptions({ names: "any" });
  const { clock, names } = options;
  const chosen = names.length > 0 ? named(cases, names) : cases;
  await using engine = await createEngine(clock === "processor" ? { threads: 1 } : {});
  const { runtime, threads } = engine.info;
  console.log(`${runtime}, ${threads} threads, ${clock} time in ms, load ${loadavg()[0]!.toFixed(1)} at the start`);
  const columns = [
    "case",
    "forward",
    "torch",
    "torch/ours",
    "tidy/ours",
    "products/ours",
    "DFT/ours",
    "+ gradient",
    "torch",
    "torch/ours",
    "disagreement",
  ];
  console.log(`| ${columns.join(" | ")} |\n|${"---|".repeat(columns.length)}`);
  for (const benched of chosen) console.log(`| ${(await measure(benched, engine, options)).join(" | ")} |`);
  console.log(`load ${loadavg()[0]!.toFixed(1)} at the end`);
}

await main();
