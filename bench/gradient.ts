/**
 * What does a network's input gradient cost, measured in forward passes and against PyTorch?
 *
 *     npm run bench -- [networks, by part of their name] [--passes 5] [--rewrites ours|none] [--python PATH] [--torch auto|off]
 *         [--compile] [--clock wall|processor]
 *
 * PyTorch stands beside us eagerly, with `--compile` under torch.compile too (which needs a C++ compiler, and a minute for a network; compiling is
 * not counted). Forward is the model as it is, forward + gradient is one graph with the loss ½ Σ y². Passes alternate between all programs;
 * every block of runs begins with one that is not counted and its shortest run counts; ratios are taken within a pass, and their median is
 * reported.
 *
 * On a machine that is busy with other work `--clock processor` counts processor time, with one thread on both sides.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { lower } from "../src/engine/compile/lower.js";
import { writeModel } from "../src/engine/onnx/write.js";
import type { Engine, Program } from "../src/engine/runtime/engine.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { gradientOf, imageFor } from "./gradient-model.js";
import { type BenchNetwork, forwardGraph } from "./networks/index.js";
import { type BenchOptions, clocks, readOptions } from "./options.js";
import { median } from "./timing.js";
import { TorchPeer } from "./torch/peer.js";

/** Forward + gradient over forward; over PyTorch's time, in every network and in the median. */
const targets = { medianRatio: 2.2, againstTorch: 0.8, againstTorchInTheMedian: 0.65 };

/** PyTorch's runs in a row, for each malloc setting. */
const torchRuns = 2;

interface Measured {
  readonly network: BenchNetwork;
  /** Milliseconds. */
  readonly forward: number;
  readonly gradient: number;
  /** Forward + gradient over forward. */
  readonly ratio: number;
  readonly torch:
    | {
        readonly forward: number;
        readonly gradient: number;
        readonly ratio: number;
        /** Our time over that of the compiled network; undefined where torch.compile does not take it. */
        readonly compiled: number | undefined;
        readonly disagreement: string;
      }
    | undefined;
}

async function measure(network: BenchNetwork, engine: Engine, options: BenchOptions): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "faultline-bench-"));
  const forward = forwardGraph(network);
  const image = imageFor(network);
  const files = { model: join(folder, "model.onnx"), input: join(folder, "x.f32") };
  await writeFile(files.model, writeModel(forward.build()));
  await writeFile(files.input, image.data);
  const gradient = options.rewrites === "ours" ? lower(gradientOf(forward), "cpu") : gradientOf(forward);
  const programs = { forward: await engine.compile(forward), gradient: await engine.compile(gradient) };
  const peer = options.python
    ? await TorchPeer.start(options.python, "run_onnx.py", [files.model, files.input, options.clock])
    : undefined;
  try {
    const x = await engine.upload(image);
    const block = async (program: Program, output: "y" | "dx") => {
      const times: number[] = [];
      for (let run = 0; run <= options.runs; run++) {
        const begin = clocks[options.clock]();
        const result = await program.run({ x }, { only: [output], keep: [output] });
        if (run > 0) times.push(clocks[options.clock]() - begin);
        result[output]!.dispose();
      }
      return Math.min(...times);
    };
    const passes: Record<"forward" | "gradient" | "torchForward" | "torchGradient" | "compiled", number>[] = [];
    const compiles = peer && options.compile && (await canCompile(peer, network));
    for (let pass = 0; pass < options.passes; pass++) {
      const [f, g] = [await block(programs.forward, "y"), await block(programs.gradient, "dx")];
      const torch = async (what: "forward" | "gradient" | "compiled") =>
        peer ? Math.min(...(await peer.time(what, torchRuns)).flat()) : Number.NaN;
      passes.push({
        forward: f,
        gradient: g,
        torchForward: await torch("forward"),
        torchGradient: await torch("gradient"),
        compiled: compiles ? await torch("compiled") : Number.NaN,
      });
    }
    const { dx } = await programs.gradient.run({ x }, { only: ["dx"] });
    const torch = peer && {
      forward: median(passes.map((p) => p.torchForward)),
      gradient: median(passes.map((p) => p.torchGradient)),
      ratio: median(passes.map((p) => p.gradient / p.torchGradient)),
      compiled: compiles ? median(passes.map((p) => p.gradient / p.compiled)) : undefined,
      disagreement: disagreement(dx!.data as Float32Array, await peer.result(join(folder, "dx.f32")), network.input[0]!),
    };
    return {
      network,
      forward: median(passes.map((p) => p.forward)),
      gradient: median(passes.map((p) => p.gradient)),
      ratio: median(passes.map((p) => p.gradient / p.forward)),
      torch,
    };
  } finally {
    peer?.stop();
    for (const program of Object.values(programs)) program.dispose();
    await rm(folder, { recursive: true });
  }
}

async function canCompile(peer: TorchPeer, { name }: BenchNetwork): Promise<boolean> {
  try {
    await peer.time("compiled", 1);
    return true;
  } catch (error) {
    console.log(`${name}: ${(error as Error).message}`);
    return false;
  }
}

/** Relative L2 difference of each image, so that one flipped decision of a ReLU or pool in one image is seen for what it is. */
function disagreement(ours: Float32Array, theirs: Float32Array, images: number): string {
  const size = ours.length / images;
  return Array.from({ length: images }, (_, n) => {
    let [difference, norm] = [0, 0];
    for (let i = n * size; i < (n + 1) * size; i++) {
      difference += (ours[i]! - theirs[i]!) ** 2;
      norm += theirs[i]! ** 2;
    }
    return Math.sqrt(difference / norm).toExponential(0);
  }).join(" ");
}

const columns = [
  "network",
  "forward",
  "+ dX",
  "ratio",
  "studied",
  "torch fwd",
  "torch + dX",
  "of torch",
  "compiled",
  "disagreement per image",
];

function row({ network, forward, gradient, ratio, torch }: Measured): string[] {
  const ms = (t: number | undefined) => (t === undefined ? "-" : `${t.toFixed(0)} ms`);
  return [
    network.name,
    ms(forward),
    ms(gradient),
    ratio.toFixed(2),
    network.studied?.toFixed(2) ?? "-",
    ms(torch?.forward),
    ms(torch?.gradient),
    torch?.ratio.toFixed(2) ?? "-",
    torch?.compiled?.toFixed(2) ?? "-",
    torch?.disagreement ?? "-",
  ];
}

/** What the project promises, where it does not hold. */
function missed(results: readonly Measured[]): string[] {
  const lines: string[] = [];
  const middle = median(results.map((r) => r.ratio));
  if (middle > targets.medianRatio) lines.push(`median ratio ${middle.toFixed(2)}, target ${targets.medianRatio}`);
  const beside = results.flatMap(({ torch }) => (torch ? [torch.ratio] : []));
  if (beside.length > 0 && median(beside) > targets.againstTorchInTheMedian)
    lines.push(`${median(beside).toFixed(2)} of PyTorch's time in the median, target ${targets.againstTorchInTheMedian}`);
  for (const { network, ratio, torch } of results) {
    if (network.studied !== undefined && ratio >= network.studied)
      lines.push(`${network.name}: ratio ${ratio.toFixed(2)} is not below the studied ${network.studied}`);
    if (torch && torch.ratio > targets.againstTorch)
      lines.push(`${network.name}: ${torch.ratio.toFixed(2)} of PyTorch's time, target ${targets.againstTorch}`);
    if (torch?.compiled !== undefined && torch.compiled > 1)
      lines.push(`${network.name}: ${torch.compiled.toFixed(2)} of torch.compile's time`);
  }
  return lines;
}

async function main(): Promise<void> {
  const options = readOptions({ networks: [""], runs: 5, flags: ["rewrites", "compile"] });
  await using engine = await createEngine(options.clock === "processor" ? { threads: 1 } : {});
  const { runtime, threads } = engine.info;
  console.log(
    `${runtime}, ${threads} threads, ${options.clock} time, rewrites ${options.rewrites}, load ${loadavg()[0]!.toFixed(1)} at the start`,
  );
  const results: Measured[] = [];
  const print = (cells: readonly string[]) =>
    console.log(cells.map((c, i) => c.padEnd([17, 8, 8, 6, 8, 10, 11, 9, 9][i] ?? 0)).join(" "));
  print(columns);
  for (const network of options.networks) {
    const measured = await measure(network, engine, options);
    results.push(measured);
    print(row(measured));
  }
  console.log(`median ratio ${median(results.map((r) => r.ratio)).toFixed(2)}; load ${loadavg()[0]!.toFixed(1)} at the end`);
  const lines = missed(results);
  console.log(lines.length === 0 ? "all targets met" : `missed:\n${lines.map((l) => `  ${l}`).join("\n")}`);
}

await main();
