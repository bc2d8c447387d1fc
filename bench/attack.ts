/**
 * How many attack steps a second, against the same attack in eager PyTorch, and what a step costs beside its forward + gradient?
 *
 *     npm run bench:attack -- [networks, by part of their name] [--passes 5] [--runs 3] [--clock wall|processor] [--torch auto|off]
 *
 * Every network of the engine's bench is attacked by PGD and by CosPGD (l_inf, ε = 8/255, α = 0.01) with random weights and targets. A step is
 * what `compileAttack` runs: iterate, clean image and target stay with the engine, losses and gradient counts come back. Beside it stands the
 * graph of the plain loss and its gradient alone. Passes alternate between all programs and PyTorch; ratios are taken within a pass, and their
 * median is reported. `--clock processor` counts processor time with one thread on either side: what a machine that others use as well can measure.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { lower } from "../src/engine/compile/lower.js";
import { Graph } from "../src/engine/graph/graph.js";
import { writeModel } from "../src/engine/onnx/write.js";
import type { DeviceTensor, Engine, Program } from "../src/engine/runtime/engine.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { Random } from "../src/engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../src/engine/tensor/tensor.js";
import { stepGraph } from "../src/methods/attacks/ascent/step-graph.js";
import type { AttackedModel } from "../src/methods/attacks/attacked-model.js";
import { cospgd, pgd } from "../src/methods/attacks/catalogue/index.js";
import { ascentOf } from "../src/methods/attacks/definition.js";
import type { TaskName } from "../src/vision/tasks/index.js";
import { attackedNetwork, gradientGraph } from "./attack-graphs.js";
import type { BenchNetwork } from "./networks/index.js";
import { type BenchOptions, clocks, readOptions } from "./options.js";
import { median } from "./timing.js";
import { TorchPeer } from "./torch/peer.js";

const targets = { againstTorch: 2, medianAgainstTorch: 2.5, overGradient: 1.05 };
const [epsilon, stepSize] = [8 / 255, 0.01];
const attackNames = ["pgd", "cospgd"] as const;
type AttackName = (typeof attackNames)[number];

interface Measured {
  readonly network: BenchNetwork;
  /** Milliseconds of forward + gradient. */
  readonly gradient: number;
  readonly steps: Readonly<Record<AttackName, Step>>;
}

interface Step {
  /** Milliseconds. */
  readonly step: number;
  /** Step over forward + gradient. */
  readonly overGradient: number;
  /** PyTorch's time over ours, and the share of pixels on which both agree after the first step. */
  readonly torch: { readonly step: number; readonly ratio: number; readonly agreement: number } | undefined;
}

async function measure(network: BenchNetwork, engine: Engine, { passes, runs, clock, python }: BenchOptions): Promise<Measured> {
  const now = clocks[clock];
  const folder = await mkdtemp(join(tmpdir(), "faultline-bench-"));
  const { attacked, task, model } = attackedNetwork(network);
  const files = ["model.onnx", "clean.f32", "target.bin"].map((name) => join(folder, name)) as [string, string, string];
  const clean = uniform(network.input, "image");
  const target = targetFor(attacked, task);
  await writeFile(files[0], writeModel(model.build()));
  await writeFile(files[1], clean.data);
  await writeFile(files[2], target.data as Float32Array);
  const peer = python ? await TorchPeer.start(python, "attack.py", [...files, task, clock]) : undefined;
  const options = { norm: "l_inf", epsilon, stepSize } as const;
  const compile = (graph: Graph) => engine.compile(lower(graph, "cpu"));
  const programs = {
    gradient: await compile(gradientGraph(attacked)),
    pgd: await compile(stepGraph(await ascentOf(pgd(options)), attacked)),
    cospgd: await compile(stepGraph(await ascentOf(cospgd(options)), attacked)),
  };
  const held = { image: await engine.upload(clean), target: await engine.upload(target) };
  try {
    const passesSeen: Record<"gradient" | AttackName | `torch ${AttackName}`, number>[] = [];
    for (let pass = 0; pass < passes; pass++) {
      const torch = async (what: AttackName) => (peer ? Math.min(...(await peer.time(what, runs)).map(median)) : Number.NaN);
      passesSeen.push({
        gradient: await timeGradient(programs.gradient, held, runs, now),
        pgd: await timeSteps(programs.pgd, held, runs, now),
        "torch pgd": await torch("pgd"),
        cospgd: await timeSteps(programs.cospgd, held, runs, now),
        "torch cospgd": await torch("cospgd"),
      });
    }
    const firstIterate = async (attack: AttackName) => {
      const next = await step(programs[attack], held.image, held);
      const { data } = await engine.download(next);
      next.dispose();
      return data as Float32Array;
    };
    const result = async (attack: AttackName): Promise<Step> => ({
      step: median(passesSeen.map((p) => p[attack])),
      overGradient: median(passesSeen.map((p) => p[attack] / p.gradient)),
      torch: peer && {
        step: median(passesSeen.map((p) => p[`torch ${attack}`])),
        ratio: median(passesSeen.map((p) => p[`torch ${attack}`] / p[attack])),
        agreement: agreement(await firstIterate(attack), await peer.result(join(folder, "next.f32"), attack)),
      },
    });
    return {
      network,
      gradient: median(passesSeen.map((p) => p.gradient)),
      steps: { pgd: await result("pgd"), cospgd: await result("cospgd") },
    };
  } finally {
    peer?.stop();
    for (const program of Object.values(programs)) program.dispose();
    for (const tensors of Object.values(held)) tensors.dispose();
    await rm(folder, { recursive: true });
  }
}

function targetFor({ predictor, task }: AttackedModel, name: TaskName): Tensor {
  const graph = new Graph();
  const prediction = predictor.predict(graph, { image: graph.input("image", "float32", predictor.images.image!) });
  const { type, shape } = task.target(prediction);
  if (type === "float32") return uniform(shape, `target of ${name}`);
  const random = new Random("bench", "labels");
  const classes = prediction.shape[1]!;
  return tensor(
    "int64",
    shape,
    BigInt64Array.from({ length: sizeOf(shape) }, () => BigInt(random.integer(classes))),
  );
}

function uniform(shape: Shape, label: string): Tensor<"float32"> {
  const random = new Random("bench", label);
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform()),
  );
}

interface Held {
  readonly image: DeviceTensor;
  readonly target: DeviceTensor;
}

/** Median milliseconds; the first run is not counted. */
async function timeGradient(program: Program, { image, target }: Held, runs: number, now: () => number): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const begin = now();
    const { dx } = await program.run({ x: image, target }, { only: ["loss", "dx"], keep: ["dx"] });
    if (run > 0) times.push(now() - begin);
    dx.dispose();
  }
  return median(times);
}

const scalar = (value: number): Tensor => tensor("float32", [], [value]);
const stepOutputs = ["next.image", "loss", "objective", "zero_gradient", "nan_gradient"];

async function step(program: Program, x: DeviceTensor, { image, target }: Held): Promise<DeviceTensor> {
  const scalars = { epsilon: scalar(epsilon), step_size: scalar(stepSize), progress: scalar(0) };
  const feeds = { "x.image": x, "clean.image": image, target, ...scalars };
  return (await program.run(feeds, { only: stepOutputs, keep: ["next.image"] }))["next.image"];
}

async function timeSteps(program: Program, held: Held, runs: number, now: () => number): Promise<number> {
  const times: number[] = [];
  let x = held.image;
  for (let run = 0; run <= runs; run++) {
    const begin = now();
    const next = await step(program, x, held);
    if (run > 0) {
      times.push(now() - begin);
      x.dispose();
    }
    x = next;
  }
  x.dispose();
  return median(times);
}

/** Share of elements that agree. Signs of gradients near 0 differ by rounding, and such pixels then differ by two whole steps. */
function agreement(ours: Float32Array, theirs: Float32Array): number {
  return ours.reduce((count, v, i) => count + (Math.abs(v - theirs[i]!) < 1e-5 ? 1 : 0), 0) / ours.length;
}

const columns = ["network", "fwd + dX", "PGD", "of it", "torch", "ratio", "CosPGD", "of it", "torch", "ratio", "same pixels"];

function row({ network, gradient, steps }: Measured): string[] {
  const ms = (t: number | undefined) => (t === undefined ? "-" : `${t.toFixed(0)} ms`);
  const cells = ({ step, overGradient, torch }: Step) => [
    ms(step),
    overGradient.toFixed(2),
    ms(torch?.step),
    torch ? `${torch.ratio.toFixed(2)}x` : "-",
  ];
  const same = attackNames.map((a) => steps[a].torch?.agreement.toFixed(4) ?? "-").join(" ");
  return [network.name, ms(gradient), ...cells(steps.pgd), ...cells(steps.cospgd), same];
}

/** What the project promises, where it does not hold. */
function missed(results: readonly Measured[]): string[] {
  const lines: string[] = [];
  for (const attack of attackNames) {
    for (const { network, steps } of results) {
      const { overGradient, torch } = steps[attack];
      if (overGradient > targets.overGradient)
        lines.push(
          `${network.name}, ${attack}: ${overGradient.toFixed(2)} of forward + gradient, target ${targets.overGradient}`,
        );
      if (torch && torch.ratio < targets.againstTorch)
        lines.push(`${network.name}, ${attack}: ${torch.ratio.toFixed(2)}x PyTorch, target ${targets.againstTorch}x`);
    }
    const ratio = median(results.map((r) => r.steps[attack].torch?.ratio ?? Number.NaN));
    if (ratio < targets.medianAgainstTorch)
      lines.push(`${attack}: ${ratio.toFixed(2)}x PyTorch in the median, target ${targets.medianAgainstTorch}x`);
  }
  return lines;
}

async function main(): Promise<void> {
  const options = readOptions({ networks: [""] });
  await using engine = await createEngine(options.clock === "processor" ? { threads: 1 } : {});
  const { runtime, threads } = engine.info;
  console.log(`${runtime}, ${threads} threads, ${options.clock} time, load ${loadavg()[0]!.toFixed(1)} at the start`);
  const print = (cells: readonly string[]) =>
    console.log(cells.map((c, i) => c.padEnd(i === 0 ? 17 : i === 1 ? 9 : 8)).join(" "));
  print(columns);
  const results: Measured[] = [];
  for (const network of options.networks) {
    const measured = await measure(network, engine, options);
    results.push(measured);
    print(row(measured));
  }
  console.log(`load ${loadavg()[0]!.toFixed(1)} at the end`);
  const lines = missed(results);
  console.log(lines.length === 0 ? "all targets met" : `missed:\n${lines.map((l) => `  ${l}`).join("\n")}`);
}

await main();
