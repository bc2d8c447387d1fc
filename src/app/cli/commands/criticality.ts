import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { OnnxModel } from "../../../engine/onnx/model.js";
import { readModel } from "../../../engine/onnx/read-file.js";
import type { Engine } from "../../../engine/runtime/engine.js";
import { type LayerKind, layerKinds } from "../../../methods/criticality/layer.js";
import { probeOf } from "../../../methods/criticality/probe.js";
import { layerProfile, trialMeasures } from "../../../methods/criticality/profile.js";
import { type SchemeName, schemes } from "../../../methods/criticality/resets.js";
import { completeSpec } from "../../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../../vision/spec/model-spec.js";
import { hashFile } from "../../attack/plan.js";
import { barLine } from "../../criticality/bars.js";
import { comparisonOf, comparisonPage, comparisonText, readRuns } from "../../criticality/compare.js";
import { finishCriticality } from "../../criticality/finish.js";
import { datasetImages, type ImageSource, tensorImages } from "../../criticality/images.js";
import type { CriticalityPlan } from "../../criticality/plan.js";
import { resetSource } from "../../criticality/reset-source.js";
import { factsOf, resultOf } from "../../criticality/result.js";
import {
  type CriticalityContext,
  type CriticalityRecord,
  chunksOf,
  plannedRecords,
  type RecordStore,
  runCriticality,
} from "../../criticality/run-criticality.js";
import { targetsOf, unitsOf } from "../../criticality/units.js";
import { interruptible } from "../../runs/progress.js";
import { RunDirectory } from "../../runs/run-directory.js";
import { parseShard, parseSize } from "../attack-options.js";
import { type DataFlags, dataOptions, openFlagged, withData } from "../data-options.js";
import { UsageError } from "../errors.js";
import {
  parseFraction,
  parseInteger,
  parsePositiveInteger,
  type RuntimeFlags,
  withEngine,
  withRuntime,
} from "../model-options.js";
import { resolveSpec, type SpecFlags, withSpec } from "../spec-options.js";
import { version } from "../version.js";

interface Flags extends RuntimeFlags, SpecFlags, DataFlags {
  readonly limit?: number;
  readonly shorter?: number;
  readonly crop?: { height: number; width: number };
  readonly resize?: { height: number; width: number };
  readonly mismatch: "pad" | "resize";
  readonly input?: string;
  readonly trials?: number;
  readonly reset?: SchemeName;
  readonly fresh?: string[];
  readonly statistics: "reset" | "kept";
  readonly share: number;
  readonly towards: number;
  readonly layers?: string[];
  readonly kinds: LayerKind[];
  readonly together?: string[];
  readonly batch: number;
  readonly memory: number;
  readonly seed: number;
  readonly shard?: { index: number; count: number };
  readonly out?: string;
  readonly json?: boolean;
}

/** `faultline criticality model.onnx --data DIR` and `faultline criticality compare RUN_A RUN_B` */
export function criticalityCommand(): Command {
  const command = withRuntime(withData(withSpec(new Command("criticality"))))
    .description(
      "Which layers the decisions rest on: reset one layer at a time to fresh weights and see how much the predictions change.",
    )
    .argument("<model>", "ONNX file")
    .option("--limit <n>", "a seeded choice of n images", parsePositiveInteger)
    .option("--shorter <n>", "resize the shorter side to n first (ImageNet: 256)", parsePositiveInteger)
    .option("--crop <HxW>", "then take the middle (ImageNet: 224x224)", parseSize)
    .option("--resize <HxW>", "resize to this, whatever the shape", parseSize)
    .addOption(
      new Option("--mismatch <how>", "what to do where a size does not suit the model").choices(["pad", "resize"]).default("pad"),
    )
    .option(
      "--input <file.safetensors>",
      'images as tensors in place of a data set: "images" [N, 3, H, W] in [0, 1] and, if known, "labels"',
    )
    .option(
      "--trials <n>",
      "resets of each layer, with fresh draws (default 3; with --fresh the number of copies)",
      parsePositiveInteger,
    )
    .addOption(new Option("--reset <scheme>", "what layers are reset to (default: framework)").choices(Object.keys(schemes)))
    .option("--fresh <copy...>", "freshly initialised copies of the model, one a trial: .onnx, .safetensors or .pth")
    .addOption(
      new Option("--statistics <what>", "whether batch normalisation is reset with its running statistics")
        .choices(["reset", "kept"])
        .default("reset"),
    )
    .option("--share <f>", "reset only this share of a layer's output channels", parseFraction, 1)
    .option("--towards <t>", "go only this far from the trained values (0) to the reset ones (1)", parseFraction, 1)
    .option("--layers <pattern...>", "only layers with these names; patterns may hold *")
    .addOption(
      new Option("--kinds <kinds>", `kinds of layers, with commas: ${layerKinds.join(", ")}`)
        .argParser(parseKinds)
        .default([...layerKinds], "all"),
    )
    .option("--together <what...>", 'reset several layers at once: "stage", or patterns each of which names a group')
    .option("--batch <n>", "images at a time, where the model is not fixed to a number", parsePositiveInteger, 16)
    .option("--memory <MiB>", "activations that may wait for resets", parsePositiveInteger, 1024)
    .option("--seed <n>", "seed of all random numbers", parseInteger, 0)
    .option("--shard <i/n>", "do the i-th of n parts; join them with faultline merge", parseShard)
    .option("--out <dir>", "run directory (default: runs/MODEL-criticality)")
    .option("--json", "print the numbers alone, as JSON; without --out nothing is written")
    .addHelpText(
      "after",
      `
The task is classification unless a specification or --task says otherwise. Re-running the same command resumes an interrupted run.

Examples:
  faultline criticality resnet50.onnx --range imagenet --data imagenet/val --shorter 256 --crop 224x224 --limit 1000
  faultline criticality net.onnx --input images.safetensors --fresh copy0.pth copy1.pth copy2.pth --json
  faultline criticality net.onnx --data photos --layers "layer3.*" --together stage
  faultline criticality compare runs/standard runs/robust`,
    )
    .action(async (path: string, flags: Flags) => {
      const file = await readModel(path);
      const spec = completeSpec(file, resolveSpec(path, flags, "classification"));
      await withEngine(flags, (engine) => criticality(engine, file, path, spec, flags));
    });
  return command.addCommand(compareCommand().exitOverride());
}

function compareCommand(): Command {
  return new Command("compare")
    .description("Criticality profiles side by side, with a table by stage.")
    .argument("<run...>", "run directories of faultline criticality")
    .option("--out <dir>", "write comparison.json, comparison.svg and report.html there")
    .option("--json", "print the numbers alone, as JSON")
    .action((paths: string[], _: unknown, command: Command) => {
      // flags that criticality itself has too are taken by it, wherever they stand
      const flags: { out?: string; json?: boolean } = command.optsWithGlobals();
      const runs = readRuns(paths);
      const comparison = comparisonOf(runs);
      const json = `${JSON.stringify(comparison, undefined, 2)}\n`;
      process.stdout.write(flags.json ? json : comparisonText(comparison));
      if (!flags.out) return;
      const { svg, html } = comparisonPage(comparison, runs);
      mkdirSync(flags.out, { recursive: true });
      for (const [name, content] of Object.entries({ "comparison.json": json, "comparison.svg": svg, "report.html": html }))
        writeFileSync(join(flags.out, name), content);
      if (!flags.json) process.stdout.write(`${join(flags.out, "report.html")}\n`);
    });
}

function parseKinds(text: string): LayerKind[] {
  const kinds = text.split(",").map((k) => k.trim());
  const unknown = kinds.find((k) => !(layerKinds as readonly string[]).includes(k));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`"${unknown}" is no kind of layer; choose of ${layerKinds.join(", ")}.`);
  return kinds as LayerKind[];
}

async function criticality(engine: Engine, file: OnnxModel, path: string, spec: ModelSpec, flags: Flags): Promise<void> {
  if (flags.shard && flags.json && !flags.out)
    throw new UsageError("--shard with --json: a part has no result of its own to print; name its directory with --out.");
  const { data, source } = await openImages(file, spec, flags);
  const copies = await Promise.all((flags.fresh ?? []).map(async (copy) => ({ path: copy, sha256: await hashFile(copy) })));
  if (copies.length > 0 && flags.reset) throw new UsageError("--fresh takes the place of --reset; name one of them.");
  if (copies.length > 0 && flags.trials && flags.trials > copies.length)
    throw new UsageError(
      `--trials ${flags.trials} needs as many fresh copies; ${copies.length} ${copies.length === 1 ? "was" : "were"} given with --fresh.`,
    );
  const plan: CriticalityPlan = {
    command: "criticality",
    version,
    model: { path, sha256: await hashFile(path) },
    spec,
    data,
    reset: {
      source: copies.length > 0 ? { kind: "copies", copies } : { kind: "scheme", scheme: flags.reset ?? "framework" },
      statistics: flags.statistics,
      share: flags.share,
      towards: flags.towards,
    },
    layers: {
      kinds: flags.kinds,
      only: flags.layers ?? [],
      together:
        flags.together === undefined
          ? "no"
          : flags.together.length === 1 && flags.together[0] === "stage"
            ? "stage"
            : flags.together,
    },
    trials: flags.trials ?? (copies.length > 0 ? copies.length : 3),
    batch: fixedBatch(file) ?? Math.min(flags.batch, source.length),
    memory: flags.memory * 2 ** 20,
    seed: flags.seed,
    ...(flags.shard && { shard: flags.shard }),
    runtime: {
      provider: engine.info.provider,
      runtime: engine.info.runtime,
      threads: engine.info.threads,
      optimization: engine.info.optimization,
    },
  };
  const size = { batch: plan.batch, height: source.height, width: source.width };
  const probe = await probeOf(file, spec, size, engine.evaluate);
  const targets = targetsOf(probe.layers, plan.layers);
  const reset = await resetSource(plan, spec, size, engine);
  const context: CriticalityContext = { engine, plan, probe, targets, source, reset };
  const quiet = flags.json && !flags.out;
  const out =
    flags.out ?? `runs/${basename(path, ".onnx")}-criticality${flags.shard ? `-${flags.shard.index}of${flags.shard.count}` : ""}`;
  const run = quiet ? undefined : RunDirectory.open<CriticalityRecord>(out, plan, []);
  const store: RecordStore = run ?? inMemory();
  const stop = interruptible();
  try {
    const total = plannedRecords(plan, chunksOf(context).length, targets.length).length;
    if (store.records.length > 0) process.stderr.write(`resuming ${out}: ${store.records.length} of ${total} resets are done\n`);
    if (probe.folded) process.stderr.write(`note: ${probe.folded.because}\n`);
    const lines = flags.json ? { record: () => {}, end: () => {} } : liveBars(context, store, total);
    try {
      await runCriticality(context, store, { signal: stop.signal, onRecord: lines.record });
    } finally {
      lines.end();
    }
    if (store.records.length < total) {
      process.stderr.write(`stopped after ${store.records.length} of ${total} resets; run the same command again to go on\n`);
      process.exitCode = 130;
      return;
    }
    if (run && plan.shard) {
      run.write("layers.json", `${JSON.stringify(factsOf(context), undefined, 2)}\n`);
      process.stdout.write(`${out}\n`);
      return;
    }
    run?.sort();
    const result = resultOf(plan, factsOf(context), store.records);
    if (run) finishCriticality(run, result, flags.json ? "files" : "files and text");
    if (flags.json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  } finally {
    stop.done();
    run?.close();
  }
}

async function openImages(
  file: OnnxModel,
  spec: ModelSpec,
  flags: Flags,
): Promise<{ data: CriticalityPlan["data"]; source: ImageSource }> {
  if (flags.input) {
    if (flags.data) throw new UsageError("--input takes the place of --data; name one of them.");
    const idle = (["limit", "shorter", "crop", "resize"] as const).find((flag) => flags[flag] !== undefined);
    if (idle) throw new UsageError(`--${idle} is for a data set; tensors of --input are taken as they are.`);
    const source = tensorImages(flags.input, spec, file);
    return { data: { kind: "tensors", path: flags.input, sha256: await hashFile(flags.input), length: source.length }, source };
  }
  if (!flags.data) throw new UsageError("name the images with --data DIR (or tensors with --input FILE.safetensors).");
  const { dataset, spec: read } = await openFlagged(flags.data, spec, flags);
  const data = {
    kind: "dataset" as const,
    path: flags.data,
    ...dataOptions(flags),
    length: dataset.length,
    ...(flags.limit && { limit: flags.limit }),
    ...(flags.shorter && { shorter: flags.shorter }),
    ...(flags.crop && { crop: flags.crop }),
    ...(flags.resize && { resize: flags.resize }),
    mismatch: flags.mismatch,
  };
  const source = await datasetImages(dataset, data, read, flags.seed);
  if (!flags.json) process.stderr.write(`${dataset.describe()}\n`);
  return { data, source };
}

/** The batch size that the file is exported with, where it is fixed. */
function fixedBatch({ graph }: OnnxModel): number | undefined {
  const input = graph.inputs.find((i) => !graph.initializers.has(i.name));
  const batch = input?.shape?.[0];
  return typeof batch === "number" ? batch : undefined;
}

function inMemory(): RecordStore {
  const records: CriticalityRecord[] = [];
  return { records, append: (more) => void records.push(...more) };
}

/** A bar for each layer, drawn when its last trial is done; on a terminal the line grows with each trial. */
function liveBars({ targets, plan, source, ...context }: CriticalityContext, store: RecordStore, total: number) {
  const chunks = chunksOf({ targets, plan, source, ...context }).length;
  const units = unitsOf(targets, plan.trials);
  const pad = Math.min(40, Math.max(...targets.map((t) => t.name.length)));
  const terminal = process.stderr.isTTY === true;
  const lineOf = (target: number) => {
    const trials = units
      .filter((u) => u.target === target)
      .flatMap((u) => {
        const of = store.records.filter((r) => r.unit === u.index);
        if (of.length === 0) return [];
        const sums = of.reduce((s, r) => s + (r.sums.distance ?? 0), 0);
        const count = of.reduce((s, r) => s + r.count, 0);
        return [trialMeasures(u.trial, { sums: { distance: sums, l1: 0, l2: 0 }, count }, undefined)];
      });
    return {
      done: trials.length,
      text: barLine(
        targets[target]!.name,
        pad,
        layerProfile({ ...targets[target]!, layers: [] }, trials),
        (terminal && process.stderr.columns) || undefined,
      ),
    };
  };
  return {
    record: (record: CriticalityRecord) => {
      const target = record.unit === undefined ? undefined : units[record.unit]!.target;
      if (target === undefined) return;
      const { done, text } = lineOf(target);
      const last = record.chunk === chunks - 1 && done === plan.trials;
      if (terminal) process.stderr.write(`\r\u001b[K${text}  ${store.records.length}/${total}${last ? "\n" : ""}`);
      else if (last) process.stderr.write(`${text}\n`);
    },
    end: () => {
      if (terminal) process.stderr.write("\r\u001b[K");
    },
  };
}
