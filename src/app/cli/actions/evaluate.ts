import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { physicalCores } from "../../../engine/runtime/node.js";
import { tasks } from "../../../vision/tasks/index.js";
import { failedSamples } from "../../attack/failed-samples.js";
import { planFile } from "../../attack/plan.js";
import { boundedBy, missedAmong, thresholdsAmong } from "../../attack/thresholds.js";
import { type Card, cardText } from "../../benchmark/card.js";
import { type Cell, cellOf } from "../../cells/cell.js";
import { type PlannedModel, Planner, usualSettings } from "../../cells/planner.js";
import { readCorruption } from "../../data/corruption.js";
import { demandTask, readSuite, runsOf, type Suite } from "../../evaluate/suite.js";
import { type SourceRun, sourceRuns, transferFile, transferFrom } from "../../evaluate/transfer-from.js";
import { shortHash } from "../../hash-file.js";
import { hashModel } from "../../hash-model.js";
import { nameOfModel } from "../../name-of-model.js";
import { loadPlugins } from "../../plugins/plugins.js";
import { demandFolder, makeFolder } from "../../runs/folders.js";
import { attackTyped } from "../attack-flags.js";
import type { EvaluateFlags } from "../commands/evaluate.js";
import { UsageError } from "../errors.js";
import { boundsOf } from "../report-options.js";
import { version } from "../version.js";
import { runTold } from "./cells.js";
import { withEngine } from "./engine.js";
import { assumedOf, resolveSpec, sayAssumed } from "./spec.js";

/** `faultline evaluate model.onnx --suite dense-v1 --data DIR` */
export async function evaluate(path: string | undefined, flags: EvaluateFlags): Promise<number> {
  if (flags.printSuite !== undefined) {
    process.stdout.write(`${JSON.stringify(readSuite(flags.printSuite), undefined, 2)}\n`);
    return 0;
  }
  if (!path) throw new UsageError("name a model, and a suite with --suite.");
  if (!flags.data) throw new UsageError("name the images with --data DIR.");
  if (!flags.suite) throw new UsageError("name a suite with --suite; faultline evaluate --help lists them.");
  const plugins = await loadPlugins(flags.plugin);
  const said = resolveSpec(path, flags);
  const suite = withFrost(readSuite(flags.suite), flags);
  demandTask(suite, tasks[said.spec.task]);
  const runs = runsOf(suite, flags.frost);
  // Everything that a suite's file can get wrong is found before anything runs.
  const attacks = runs.map((run) => attackTyped(run.attack, run.parameters, plugins.attacks));
  for (const { corruption } of runs) if (corruption !== undefined) await readCorruption(corruption);
  const sources = await sourceRuns(flags.transferFrom ?? [], said.spec.task, flags.plugin);
  const threads = flags.threads ?? (flags.workers === undefined ? physicalCores() : 1);
  const root = flags.out ?? join("runs", `${nameOfModel(path)}-${suite.name}-${await settingsOf(path, suite, threads, flags)}`);
  demandFolder(root);
  const planner = new Planner(plugins);
  const { file: _, ...model } = await planner.model(path, said);
  const cells: Cell[] = [];
  for (const [i, { name, corruption }] of runs.entries()) {
    const attack = attacks[i]!;
    const settings = { ...usualSettings, ...flags, data: flags.data, threads, ...(corruption !== undefined && { corruption }) };
    const plan = await planner.plan(attack, model, settings);
    // Where nothing may change there is nothing to audit.
    const audit = attack.budget.epsilon === 0 ? "skipped" : "run";
    cells.push(cellOf({ name, plan: planFile(plan), contents: await planner.contents(plan, settings), audit, assets: "inline" }));
  }
  const thresholds = thresholdsAmong(
    boundsOf(flags),
    cells.map(({ plan }) => boundedBy(plan)),
  );
  if (!flags.quiet) sayAssumed(assumedOf(said, model.spec), path);
  await measureTransfers(sources, { ...model, path }, threads, root, flags);
  const end = await runTold(cells, { root, plugins }, flags);
  if (end.stopped) {
    process.stderr.write(`${cells.length - end.left.length} of ${cells.length} runs are done; repeat the command to go on\n`);
    return 130;
  }
  if (end.failed.length > 0) return 1;
  const { writeBenchmark } = await import("../../benchmark/write.js");
  const { benchmark, report } = await writeBenchmark([root], root, {
    version,
    suite,
    ...(flags.plugin && { plugins: flags.plugin }),
  });
  const [card] = benchmark.cards as [Card];
  if (flags.json) process.stdout.write(`${JSON.stringify(card, undefined, 2)}\n`);
  else if (!flags.quiet) process.stdout.write(`${cardText(card)}\n${report}\n`);
  const audits = flags.allowAudit ? [] : card.audits.failed;
  if (audits.length > 0)
    process.stderr.write(`faultline: the audit failed of ${audits.join(", ")}; --allow-audit lets it pass.\n`);
  const lost = flags.allowFailed ? undefined : failedSamples(benchmark.rows);
  if (lost !== undefined) process.stderr.write(`faultline: ${lost}\n`);
  const misses = missedAmong(thresholds, benchmark.rows);
  for (const sentence of misses) process.stderr.write(`faultline: ${sentence}\n`);
  return audits.length > 0 ? 1 : misses.length > 0 ? 2 : lost === undefined ? 0 : 3;
}

/** The images of other runs on this model, before anything else runs: what does not go together is found first. They stand in transfer.json. */
async function measureTransfers(
  sources: readonly SourceRun[],
  { path, sha256, spec }: PlannedModel,
  threads: number,
  root: string,
  { provider, optimization, quiet }: EvaluateFlags,
): Promise<void> {
  rmSync(transferFile(root), { force: true });
  if (sources.length === 0) return;
  const say = (text: string) => void (quiet || process.stderr.write(text));
  const runtime = { threads, ...(provider && { provider }), ...(optimization && { optimization }) };
  const found = await withEngine(runtime, (engine) => transferFrom(sources, { path, sha256, spec }, engine, say));
  makeFolder(root);
  writeFileSync(transferFile(root), `${JSON.stringify({ transfers: found }, undefined, 2)}\n`);
}

/** Without photographs of frost, the corruption that computes it; and that is said. */
function withFrost(suite: Suite, { frost, quiet }: EvaluateFlags): Suite {
  if (!suite.corruptions?.kinds.includes("frost")) {
    if (frost !== undefined) throw new UsageError(`--frost ${frost}: suite ${suite.name} has no frost; leave it out.`);
    return suite;
  }
  if (frost !== undefined) return suite;
  if (!quiet)
    process.stderr.write(
      "procedural_frost takes the place of frost, which needs photographs (--frost DIR); its number is not ImageNet-C's\n",
    );
  const kinds = suite.corruptions.kinds.map((kind) => (kind === "frost" ? "procedural_frost" : kind));
  return { ...suite, corruptions: { ...suite.corruptions, kinds } };
}

/** The same model, suite and flags have the same name. */
async function settingsOf(path: string, suite: Suite, threads: number, flags: EvaluateFlags): Promise<string> {
  const {
    out: _,
    json: __,
    quiet: ___,
    suite: ____,
    workers: _____,
    transferFrom: ______,
    allowAudit: a,
    allowFailed: f,
    failUnder: u,
    failOver: o,
    ...said
  } = flags;
  const deciding = { ...said, data: said.data && resolve(said.data), threads };
  return shortHash([await hashModel(path), suite, deciding]);
}
