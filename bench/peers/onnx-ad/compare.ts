/**
 * Our gradient graphs beside those of the Python package onnx-ad, in the same ONNX Runtime: time of a run, time to build, and who is right.
 *
 *     npx tsx bench/peers/onnx-ad/compare.ts --python PATH [networks] [--passes 5] [--runs 3] [--clock wall|processor]
 *         [--folder DIR]
 *
 * Python exports the networks and runs the peer; it needs tools/architectures/requirements.txt and onnx-ad 0.3. Build first (`npm run build`).
 *
 * Both graphs compute the prediction and the gradient by the image; only the gradient is asked for. Passes alternate between the two, every block
 * of runs begins with one that does not count, its shortest run counts, and the ratio is taken within a pass; the median of passes is reported.
 * Building is timed as the user waits for it: the whole process, once each, one after the other. On a busy machine `--clock processor` counts
 * processor time, with one thread for both graphs.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { createEngine, type Engine, parseSafetensors, type Tensor, tensor, toNumbers } from "../../../src/index.js";
import { clocks, oneOf, refuse, wholeNumber } from "../../options.js";
import { median } from "../../timing.js";

const networks = [
  "ResNet-18",
  "MobileNetV2",
  "EfficientNet-B0",
  "DenseNet-121",
  "ShuffleNetV2",
  "ConvNeXt-T",
  "ViT-Ti/16",
  "U-Net",
  "DeepLabV3",
  "SegFormer-B0",
  "YOLOv8n",
];

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const execute = promisify(execFile);

interface Settings {
  readonly python: string;
  readonly passes: number;
  readonly runs: number;
  readonly clock: keyof typeof clocks;
}

interface Side {
  /** Seconds that the command takes. */
  readonly build: number;
  /** Milliseconds; the median over passes. */
  readonly time: number;
  /** Relative L2 error against PyTorch in float64. */
  readonly error: number;
}

interface Row {
  readonly network: string;
  readonly ours: Side | string;
  readonly theirs: Side | string;
  /** Time of ours over theirs, the median over passes. */
  readonly ratio: number | undefined;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      python: { type: "string", default: "python3" },
      passes: { type: "string", default: "5" },
      runs: { type: "string", default: "3" },
      clock: { type: "string", default: "wall" },
      folder: { type: "string", default: join(tmpdir(), "faultline-onnx-ad") },
    },
  });
  const settings: Settings = {
    python: values.python,
    passes: wholeNumber("--passes", values.passes),
    runs: wholeNumber("--runs", values.runs),
    clock: oneOf("--clock", values.clock, ["wall", "processor"]),
  };
  const unknown = positionals.find((n) => !networks.includes(n));
  if (unknown !== undefined) refuse(`No network is called ${unknown}; there are ${networks.join(", ")}.`);
  const chosen = networks.filter((n) => positionals.length === 0 || positionals.includes(n));
  const missing = chosen.filter((n) => !existsSync(join(folderOf(values.folder, n), "reference.safetensors")));
  if (missing.length > 0) await execute(values.python, [here("networks.py"), values.folder, ...missing], { maxBuffer: 1e9 });
  await using engine = await createEngine(settings.clock === "processor" ? { threads: 1 } : {});
  console.log(
    `${engine.info.runtime}, ${engine.info.threads} threads, ${settings.clock} time, load ${loadavg()[0]!.toFixed(1)} at the start\n`,
  );
  console.log("| network | ours / onnx-ad ms | ratio | build s | error against float64 |\n|---|---|---|---|---|");
  const rows: Row[] = [];
  for (const network of chosen) {
    const row = await measure(engine, network, folderOf(values.folder, network), settings);
    rows.push(row);
    console.log(written(row));
  }
  const ratios = rows.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
  console.log(
    `\nmedian ratio ${median(ratios).toFixed(2)}, largest ${Math.max(...ratios).toFixed(2)}; load ${loadavg()[0]!.toFixed(1)} at the end`,
  );
}

const folderOf = (root: string, network: string) => join(root, network.replace("/", "-"));

async function measure(engine: Engine, network: string, folder: string, { python, passes, runs, clock }: Settings): Promise<Row> {
  const now = clocks[clock];
  const model = join(folder, "model.onnx");
  const { tensors } = parseSafetensors(readFileSync(join(folder, "reference.safetensors")));
  const [x, v, d] = ["x", "v", "d"].map((name) => tensors.get(name)!) as [Tensor, Tensor, Tensor];
  const files = { ours: join(folder, "ours.onnx"), theirs: join(folder, "theirs.onnx") };
  const built = {
    ours: await build(clock, process.execPath, [here("../../../bin/faultline.js"), "grad", model, "-o", files.ours]),
    theirs: await build(clock, python, [here("reverse.py"), model, files.theirs]),
  };
  const seeds = { ours: { x, "v.y": v }, theirs: { x, adj_y: tensor("float32", [...v.shape, 1], v.data as Float32Array) } };
  const outputs = { ours: "d.x", theirs: "adj_x" } as const;
  const sides = ["ours", "theirs"] as const;
  const failed: Partial<Record<(typeof sides)[number], string>> = {};
  const programs: Partial<Record<(typeof sides)[number], Awaited<ReturnType<Engine["compile"]>>>> = {};
  const errors: Partial<Record<(typeof sides)[number], number>> = {};
  for (const side of sides) {
    try {
      const seconds = built[side];
      if (typeof seconds === "string") throw new Error(seconds);
      programs[side] = await engine.compile(new Uint8Array(readFileSync(files[side])));
      const result = await programs[side].run(seeds[side], { only: [outputs[side]] });
      errors[side] = relative(toNumbers(result[outputs[side]]!), toNumbers(d));
    } catch (error) {
      failed[side] = (error as Error).message.replaceAll(/\s+/g, " ").slice(0, 120);
    }
  }
  const times: Record<(typeof sides)[number], number[]> = { ours: [], theirs: [] };
  for (let pass = 0; pass < passes; pass++) {
    for (const side of pass % 2 === 0 ? sides : sides.toReversed()) {
      const program = programs[side];
      if (failed[side] || !program) continue;
      const block: number[] = [];
      for (let run = 0; run <= runs; run++) {
        const begin = now();
        const result = await program.run(seeds[side], { only: [outputs[side]], keep: [outputs[side]] });
        if (run > 0) block.push(now() - begin);
        result[outputs[side]]!.dispose();
      }
      times[side].push(Math.min(...block));
    }
  }
  for (const program of Object.values(programs)) program.dispose();
  const side = (which: (typeof sides)[number]): Side | string =>
    failed[which] ?? { build: built[which] as number, time: median(times[which]), error: errors[which]! };
  const both = !failed.ours && !failed.theirs;
  return {
    network,
    ours: side("ours"),
    theirs: side("theirs"),
    ratio: both ? median(times.ours.map((t, i) => t / times.theirs[i]!)) : undefined,
  };
}

/** Seconds, or what the command said instead. */
async function build(clock: Settings["clock"], command: string, args: readonly string[]): Promise<number | string> {
  const begin = performance.now();
  try {
    // the shell's "times" says on its second line what its children have used
    const { stdout } = await execute("sh", ["-c", '"$0" "$@" >&2 && times', command, ...args]);
    if (clock === "wall") return (performance.now() - begin) / 1000;
    const used = stdout.split("\n")[1]!.matchAll(/(\d+)m([\d.]+)s/g);
    return [...used].reduce((sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds), 0);
  } catch (error) {
    return ((error as { stderr?: string }).stderr ?? String(error)).trim().split("\n").at(-1)!;
  }
}

function relative(found: readonly number[], exact: readonly number[]): number {
  let [difference, size] = [0, 0];
  exact.forEach((e, i) => {
    difference += (found[i]! - e) ** 2;
    size += e * e;
  });
  return Math.sqrt(difference / size);
}

function written({ network, ours, theirs, ratio }: Row): string {
  const cell = (read: (side: Side) => string) => [ours, theirs].map((s) => (typeof s === "string" ? "-" : read(s))).join(" / ");
  const words = [ours, theirs].flatMap((s, i) => (typeof s === "string" ? [`${i === 0 ? "ours" : "onnx-ad"}: ${s}`] : []));
  const times = cell((s) => s.time.toFixed(0));
  const errors = cell((s) => s.error.toExponential(0));
  return `| ${[network, times, ratio?.toFixed(2) ?? "-", cell((s) => s.build.toFixed(1)), [errors, ...words].join("; ")].join(" | ")} |`;
}

await main();
