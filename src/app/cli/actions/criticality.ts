import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OnnxModel } from "../../../engine/onnx/model.js";
import type { Engine } from "../../../engine/runtime/engine.js";
import { probeOf } from "../../../methods/criticality/probe.js";
import { layerProfile, trialMeasures } from "../../../methods/criticality/profile.js";
import type { Assumption } from "../../../vision/spec/assumptions.js";
import { checkSpec, completeSpec } from "../../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../../vision/spec/model-spec.js";
import { tasks } from "../../../vision/tasks/index.js";
import { usualTasks } from "../../../vision/tasks/names.js";
import { barLine } from "../../criticality/bars.js";
import { finishCriticality } from "../../criticality/finish.js";
import { datasetImages, type ImageSource, tensorImages } from "../../criticality/images.js";
import { type CriticalityPlan, identityOf } from "../../criticality/plan.js";
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
import { fingerprintOf } from "../../data/fingerprint.js";
import { tellingConversions } from "../../data/tell-conversions.js";
import { hashFile } from "../../hash-file.js";
import { hashModel } from "../../hash-model.js";
import { nameOfModel } from "../../name-of-model.js";
import { readPredicting } from "../../read-predicting.js";
import { demandFolder, makeFolder } from "../../runs/folders.js";
import { interruptible, sayUnless } from "../../runs/progress.js";
import { RunDirectory } from "../../runs/run-directory.js";
import type { CriticalityFlags } from "../commands/criticality.js";
import { UsageError } from "../errors.js";
import { version } from "../version.js";
import { dataOptions, openFlagged } from "./data.js";
import { withEngine } from "./engine.js";
import { resolveSpec, sayAssumed } from "./spec.js";

/** `faultline criticality model.onnx --data DIR` */
export async function criticality(path: string, flags: CriticalityFlags): Promise<void> {
  const { spec: said, assumed } = resolveSpec(path, flags, usualTasks.criticality);
  const file = await readPredicting(path, said);
  const spec = completeSpec(file, said);
  if (tasks[spec.task].extent === "objects")
    throw new UsageError(
      `criticality measures what a reset does to classes and maps, and ${spec.task} predicts lists of objects; give it the backbone (--task classification, with --of), or look with faultline spectrum.`,
    );
  await withEngine(flags, (engine) => measure(engine, file, path, spec, assumed, flags));
}

/** `faultline criticality compare RUN_A RUN_B` */
export async function compare(
  paths: readonly string[],
  flags: { readonly out?: string; readonly json?: boolean },
): Promise<void> {
  if (flags.out) demandFolder(flags.out);
  const { comparisonOf, comparisonPage, comparisonText, readRuns } = await import("../../criticality/compare.js");
  const runs = readRuns(paths);
  const comparison = comparisonOf(runs);
  const json = `${JSON.stringify(comparison, undefined, 2)}\n`;
  process.stdout.write(flags.json ? json : comparisonText(comparison));
  if (!flags.out) return;
  const { svg, html } = comparisonPage(comparison, runs);
  makeFolder(flags.out);
  for (const [name, content] of Object.entries({ "comparison.json": json, "comparison.svg": svg, "report.html": html }))
    writeFileSync(join(flags.out, name), content);
  if (!flags.json) process.stdout.write(`${join(flags.out, "report.html")}\n`);
}

async function measure(
  engine: Engine,
  file: OnnxModel,
  path: string,
  spec: ModelSpec,
  assumed: readonly Assumption[],
  flags: CriticalityFlags,
): Promise<void> {
  if (flags.shard && flags.json && !flags.out)
    throw new UsageError("--shard with --json: a part has no result of its own to print; name its directory with --out.");
  const { data, source } = await openImages(file, spec, flags);
  const copies = await Promise.all((flags.fresh ?? []).map(async (copy) => ({ path: copy, sha256: await hashModel(copy) })));
  if (copies.length > 0 && flags.reset) throw new UsageError("--fresh takes the place of --reset; name one of them.");
  if (copies.length > 0 && flags.trials && flags.trials > copies.length)
    throw new UsageError(
      `--trials ${flags.trials} needs as many fresh copies; ${copies.length} ${copies.length === 1 ? "was" : "were"} given with --fresh.`,
    );
  const plan: CriticalityPlan = {
    command: "criticality",
    version,
    model: { path, sha256: await hashModel(path) },
    spec,
    ...(assumed.length > 0 && { assumed: assumed.map((a) => a.field) }),
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
    batch: checkSpec(file, spec).batch ?? Math.min(flags.batch, source.length),
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
  const probe = await probeOf(file, spec, size, engine.evaluate, data.kind === "dataset" ? data.mismatch : undefined);
  const targets = targetsOf(probe.layers, plan.layers);
  const reset = await resetSource(plan, spec, size, engine);
  const context: CriticalityContext = { engine, plan, probe, targets, source, reset };
  const say = sayUnless(flags.quiet);
  const unwritten = flags.json && !flags.out;
  const out =
    flags.out ?? `runs/${nameOfModel(path)}-criticality${flags.shard ? `-${flags.shard.index}of${flags.shard.count}` : ""}`;
  const run = unwritten
    ? undefined
    : RunDirectory.open<CriticalityRecord, CriticalityPlan>(out, plan, { folders: [], identity: identityOf });
  const store: RecordStore = run ?? inMemory();
  const stop = interruptible();
  try {
    const total = plannedRecords(plan, chunksOf(context).length, targets.length).length;
    if (!flags.json && !flags.quiet) sayAssumed(assumed, path);
    if (store.records.length > 0) say(`resuming ${out}: ${store.records.length} of ${total} resets are done\n`);
    if (probe.folded) say(`note: ${probe.folded.because}\n`);
    const lines = flags.json || flags.quiet ? { record: () => {}, end: () => {} } : liveBars(context, store, total);
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
    if (run) await finishCriticality(run, result, flags.json ? "files" : "files and text");
    if (flags.json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  } catch (error) {
    run?.abandon();
    throw error;
  } finally {
    stop.done();
    run?.close();
  }
}

async function openImages(
  file: OnnxModel,
  spec: ModelSpec,
  flags: CriticalityFlags,
): Promise<{ data: CriticalityPlan["data"]; source: ImageSource }> {
  if (flags.input) {
    if (flags.data) throw new UsageError("--input takes the place of --data; name one of them.");
    const idle = (["limit", "shorter", "crop", "resize"] as const).find((flag) => flags[flag] !== undefined);
    if (idle) throw new UsageError(`--${idle} is for a data set; tensors of --input are taken as they are.`);
    const source = await tensorImages(flags.input, spec, file);
    return { data: { kind: "tensors", path: flags.input, sha256: await hashFile(flags.input), length: source.length }, source };
  }
  if (!flags.data) throw new UsageError("name the images with --data DIR (or tensors with --input FILE).");
  const { dataset, spec: read } = await openFlagged(flags.data, spec, flags, file);
  const data = {
    kind: "dataset" as const,
    path: flags.data,
    ...dataOptions(flags),
    sha256: await fingerprintOf(dataset),
    length: dataset.length,
    ...(flags.limit && { limit: flags.limit }),
    ...(flags.shorter && { shorter: flags.shorter }),
    ...(flags.crop && { crop: flags.crop }),
    ...(flags.resize && { resize: flags.resize }),
    mismatch: flags.mismatch,
  };
  const say = sayUnless(flags.quiet);
  if (!flags.json) say(`${dataset.describe()}\n`);
  const telling = tellingConversions(dataset, "rounded to 8", (sentence) => say(`note: ${sentence}\n`));
  const source = await datasetImages(telling, data, read, flags.seed);
  return { data, source };
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
