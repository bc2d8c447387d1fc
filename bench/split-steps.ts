/**
 * What it costs to run one gradient program several times, against one graph that holds the model as often: a batch of images on a model whose file takes
 * one, and the draws of a random transform.
 *
 *     npx tsx bench/split-steps.ts [batch | draws] [networks, by part of their name] [--count 12] [--passes 3]
 *
 * Each figure is from a process of its own, passes interleaved, one thread, processor time (what a busy machine can measure); medians.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { lower } from "../src/engine/compile/lower.js";
import { embed } from "../src/engine/graph/embed.js";
import type { Value } from "../src/engine/graph/graph.js";
import { concat, slice } from "../src/engine/operators/index.js";
import type { Feeds } from "../src/engine/runtime/engine.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { Random } from "../src/engine/tensor/random.js";
import { sizeOf, type Tensor, tensor } from "../src/engine/tensor/tensor.js";
import { stepGraph } from "../src/methods/attacks/ascent/step-graph.js";
import type { AttackedModel } from "../src/methods/attacks/attacked-model.js";
import { pgd } from "../src/methods/attacks/catalogue/index.js";
import { ascentOf } from "../src/methods/attacks/definition.js";
import type { Runnable } from "../src/methods/attacks/split/runnable.js";
import { SplitStep } from "../src/methods/attacks/split/split-step.js";
import { transforms } from "../src/methods/attacks/transforms/index.js";
import { tasks } from "../src/vision/tasks/index.js";
import { attackedNetwork } from "./attack-graphs.js";
import { benchNetworks, forwardGraph } from "./networks/index.js";
import { clocks } from "./options.js";
import { median, medianTime } from "./timing.js";

const kinds = ["batch", "draws"] as const;
type Kind = (typeof kinds)[number];
type Side = "one graph" | "split";

interface Measured {
  /** Milliseconds of processor time. */
  readonly compile: number;
  readonly step: number;
  /** Most resident memory of the process, in MiB. */
  readonly memory: number;
}

/** The network for one image, and the task it is taken for. */
function siteFor(name: string, kind: Kind, side: Side, count: number): AttackedModel {
  const found = benchNetworks.find((n) => n.name === name)!;
  const [, ...image] = found.input;
  const single = { ...found, input: [1, ...image] };
  if (kind === "draws") return { ...attackedNetwork(single).attacked, transform: transforms["gaussian-noise"](count) };
  const model = forwardGraph(single);
  const { task } = attackedNetwork(single);
  const apply = (x: Value) => embed(x.graph, model, { x }).outputs.y!;
  const each = (x: Value) =>
    concat(
      Array.from({ length: count }, (_, i) => apply(slice(x, [i], [i + 1], { axes: [0] }))),
      0,
    );
  const predictor =
    side === "split"
      ? { images: { image: single.input }, predict: (_: unknown, { image: x }: Readonly<Record<string, Value>>) => apply(x!) }
      : {
          images: { image: [count, ...image] },
          predict: (_: unknown, { image: x }: Readonly<Record<string, Value>>) => each(x!),
        };
  return { predictor, task: tasks[task], ...(side === "split" && { batch: count }) };
}

async function measure(name: string, kind: Kind, side: Side, count: number): Promise<Measured> {
  await using engine = await createEngine({ threads: 1, cache: { programs: 0, bytes: 0 } });
  const attacked = siteFor(name, kind, side, count);
  const attack = await ascentOf(pgd({ epsilon: 8 / 255, steps: 4 }));
  const begin = clocks.processor();
  const program: Runnable =
    side === "split"
      ? await SplitStep.compile(engine, attack, attacked)
      : await engine.compile(lower(stepGraph(attack, attacked), "cpu"));
  const compile = clocks.processor() - begin;
  const random = new Random("bench", name);
  const drawn = (shape: readonly number[]) =>
    tensor(
      "float32",
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => random.uniform()),
    );
  const graph = stepGraph(attack, siteFor(name, kind, "one graph", count));
  const feeds: Record<string, Tensor> = {};
  for (const { name: input, type, shape } of graph.inputs) feeds[input] = type === "float32" ? drawn(shape) : tensor(type, shape);
  const draw = (k: number): Feeds => ({ "noise.image": feeds[`noise${k}.image`]! });
  const only = ["next.image", "loss"];
  const step = await medianTime(() => program.run(feeds, { only, draw }), 3, clocks.processor);
  return { compile, step, memory: process.resourceUsage().maxRSS / 1024 };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: "string", default: "12" }, passes: { type: "string", default: "3" }, side: { type: "string" } },
});
const count = Number(values.count);
const kind = kinds.find((k) => k === positionals[0]) ?? "batch";
const rest = positionals.filter((p) => p !== kind);
if (values.side) {
  console.log(JSON.stringify(await measure(rest[0]!, kind, values.side as Side, count)));
} else {
  const wanted = benchNetworks.filter(
    ({ name }) => rest.length === 0 || rest.some((r) => name.toLowerCase().includes(r.toLowerCase())),
  );
  console.log(
    `${count} ${kind === "batch" ? "images on a model of one" : "draws"}: compile | step | memory, one graph and split`,
  );
  for (const { name } of wanted) {
    const seen: Record<Side, Measured[]> = { "one graph": [], split: [] };
    for (let pass = 0; pass < Number(values.passes); pass++)
      for (const side of ["one graph", "split"] as const) {
        const args = ["tsx", fileURLToPath(import.meta.url), kind, name, "--count", values.count, "--side", side];
        seen[side].push(JSON.parse(execFileSync("npx", args, { encoding: "utf8" })) as Measured);
      }
    const cell = (key: keyof Measured, unit: string) => {
      const [a, b] = (["one graph", "split"] as const).map((side) => median(seen[side].map((m) => m[key])));
      return `${a!.toFixed(0)} -> ${b!.toFixed(0)} ${unit} (${(a! / b!).toFixed(2)}x)`;
    };
    console.log(`${name.padEnd(16)} ${cell("compile", "ms")} | ${cell("step", "ms")} | ${cell("memory", "MiB")}`);
  }
}
