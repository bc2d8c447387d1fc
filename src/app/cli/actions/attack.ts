import { basename, join, resolve } from "node:path";
import { physicalCores } from "../../../engine/runtime/node.js";
import { type Attack, budgetRemarks, checkAttack } from "../../../methods/attacks/definition.js";
import { median } from "../../../vision/metrics/median.js";
import { completeSpec } from "../../../vision/spec/model-predictor.js";
import { tasks } from "../../../vision/tasks/index.js";
import { compilingText } from "../../attack/compiling.js";
import { failedSamples } from "../../attack/failed-samples.js";
import { flagOf } from "../../attack/flag-of.js";
import { typed } from "../../attack/parameters.js";
import { type AttackPlan, identityOf, planFile } from "../../attack/plan.js";
import { readRegion, reopen } from "../../attack/reopen.js";
import { runPlan } from "../../attack/run-plan.js";
import { runTensors } from "../../attack/run-tensors.js";
import { coarseOver, coarseRemarks, gradientFaults, gradientRemarks } from "../../attack/summary.js";
import { missed, type Threshold } from "../../attack/thresholds.js";
import { eotOf } from "../../attack/transform-of.js";
import { type Cell, cellOf } from "../../cells/cell.js";
import { Planner, type RunSettings } from "../../cells/planner.js";
import { shortHash } from "../../hash-file.js";
import { nameOfModel } from "../../name-of-model.js";
import { loadPlugins, type Plugins, taskWith } from "../../plugins/plugins.js";
import { withHeadRead } from "../../read-head.js";
import { readPredicting } from "../../read-predicting.js";
import { interruptible, type Progress, progress } from "../../runs/progress.js";
import { attacksTyped, listsTyped } from "../attack-flags.js";
import type { AttackCommandFlags } from "../commands/attack.js";
import { UsageError } from "../errors.js";
import { version } from "../version.js";
import { runTold } from "./cells.js";
import { withEngine } from "./engine.js";
import { finishOf } from "./finish.js";
import { demandLearner } from "./fit-on.js";
import { assumedOf, resolveSpec, type SaidSpec, sayAssumed } from "./spec.js";
import { demandOutput } from "./write.js";

/** `faultline attack model.onnx --task segmentation --data DIR` */
export async function attack(path: string, flags: AttackCommandFlags): Promise<void> {
  const plugins = await loadPlugins(flags.plugin);
  const list = attacksTyped(flags, plugins.attacks);
  const [chosen] = list as [Attack];
  demandLearner(list, flags);
  const said = resolveSpec(path, flags);
  if (list.length > 1) process.exitCode = await attackAll(list, path, said, plugins, flags);
  else if (flags.input) await attackTensors(chosen, path, said, plugins, flags);
  else process.exitCode = await attackDataset(chosen, path, said, plugins, flags);
}

/** One attack on a data set, as a run directory; gives the exit code. */
async function attackDataset(
  chosen: Attack,
  path: string,
  said: SaidSpec,
  plugins: Plugins,
  flags: AttackCommandFlags,
): Promise<number> {
  const settings = settingsOf(flags);
  const planner = new Planner(plugins);
  const { file, ...model } = await planner.model(path, said);
  const finish = finishOf(flags, { task: model.spec.task, target: flags.target });
  checkBounds(chosen, flags, finish.thresholds);
  const planned = await planner.plan(chosen, model, settings);
  return withEngine(flags, async (engine) => {
    // In the schema's order: plans are compared by their bytes.
    const { provider, runtime, threads, optimization } = engine.info;
    const { memory } = planned.runtime;
    const plan: AttackPlan = {
      ...planned,
      runtime: { provider, runtime, threads, optimization, ...(memory && { memory }) },
    };
    const out = flags.out ?? join("runs", nameOf(plan));
    const context = await reopen({ plan, plugins }, engine, out, { model: file });
    const stop = interruptible();
    let bar: Progress | undefined;
    try {
      if (!flags.quiet) sayAssumed(assumedOf(said, model.spec), path);
      if (!flags.quiet) for (const remark of budgetRemarks(chosen)) process.stderr.write(`note: ${remark}\n`);
      const end = await runPlan(context, out, finish, {
        signal: stop.signal,
        onOpen: (done, total) => {
          finish.say(
            `${context.dataset.describe()}\n${done > 0 ? `resuming ${out}: ${done} of ${total} samples are done\n` : `run directory ${out}\n`}`,
          );
          bar = progress(chosen.name, total, done, finish.say);
        },
        onProgress: (done, note) => bar?.update(done, note),
        onLearning: (what, samples, on) => {
          const from = {
            share: () => `learned from ${samples} that are not measured`,
            data: () => `learned from the ${samples} of ${flags.fitOn}`,
            file: () => `from ${flags.perturbation}`,
          }[on.kind]();
          finish.say(`one ${what} for all samples, ${from}\n`);
        },
        onSizes: ({ sizes, programs }) => {
          const each = programs > sizes ? `, ${programs} with the sizes of their batches` : "";
          finish.say(`pictures of ${sizes} sizes${each}: each is compiled for once, and they are attacked size by size\n`);
        },
        onCompile: (compiling) => finish.say(compilingText(compiling)),
        onFirstBatch: (records) => {
          const done = records.filter((r) => r.gradient);
          const coarse = coarseRemarks(
            coarseOver(
              context.plan,
              records.filter((r) => r.scores),
            ),
          );
          for (const remark of [...coarse, ...gradientRemarks(gradientFaults(done), done.length)])
            finish.say(`first batch: ${remark}\n`);
        },
        // From here Ctrl-C ends the process at once: all records are on disk, and the same command audits and reports again.
        onAttacked: () => {
          bar?.stop();
          stop.done();
        },
      });
      if ("code" in end) return end.code;
      bar?.stop();
      process.stderr.write(`stopped after ${end.stopped} of ${end.total} samples; run the same command again to go on\n`);
      return 130;
    } finally {
      bar?.stop();
      stop.done();
    }
  });
}

/** The flags as a plan needs them. @throws UsageError for what goes with tensors. */
function settingsOf(flags: AttackCommandFlags): RunSettings {
  const { data } = flags;
  if (!data) throw new UsageError("name the images with --data DIR (or tensors with --input FILE).");
  for (const [name, value] of [
    ["--start", flags.start],
    ["--trace", flags.trace],
    ["--goal", flags.goal],
  ] as const) {
    if (value) throw new UsageError(`${name} goes with --input FILE.`);
  }
  return { ...flags, data, threads: flags.threads ?? physicalCores() };
}

/** @throws UsageError for bounds that say nothing of what the attack finds, or of a part of a run. */
function checkBounds(chosen: Attack, flags: AttackCommandFlags, [first]: readonly Threshold[]): void {
  if (first && chosen.definition.seeks === "smallest perturbation" && chosen.budget.epsilon === undefined)
    throw new UsageError(
      `${first.flag}: ${chosen.name} breaks every image that it can, however far it must go; say with --epsilon within which radius the bound is to hold.`,
    );
  if (first && flags.shard)
    throw new UsageError(
      `${first.flag}: a part of a run has no number of its own; say it to faultline audit, of the merged run.`,
    );
}

/**
 * Several attacks, one after the other, each a run of its own within one directory; then the table and the curves of all.
 *
 * @returns the exit code: the gravest of the runs'.
 */
async function attackAll(
  list: readonly Attack[],
  path: string,
  said: SaidSpec,
  plugins: Plugins,
  flags: AttackCommandFlags,
): Promise<number> {
  if (flags.input) throw new UsageError("--input traces one attack; several are for --data.");
  if (flags.shard)
    throw new UsageError("--shard cuts one attack into parts; do the attacks one by one, or write a plan for faultline sweep.");
  const settings = settingsOf(flags);
  const planner = new Planner(plugins);
  const { file: _, ...model } = await planner.model(path, said);
  const { thresholds } = finishOf(flags, { task: model.spec.task, target: flags.target });
  const names = labelsOf(list, flags);
  const cells: Cell[] = [];
  for (const [i, attack] of list.entries()) {
    checkBounds(attack, flags, thresholds);
    const plan = await planner.plan(attack, model, settings);
    cells.push(
      cellOf({
        name: names[i]!,
        plan: planFile(plan),
        contents: await planner.contents(plan, settings),
        audit: flags.audit ? "run" : "skipped",
        assets: flags.assets,
      }),
    );
  }
  const { out: _out, json: _json, quiet: _quiet, allowAudit: _a, allowFailed: _f, failUnder: _u, failOver: _o, ...rest } = flags;
  const deciding = { ...rest, data: resolve(settings.data) };
  const root =
    flags.out ?? join("runs", `${nameOfModel(path)}-${[...new Set(list.map((a) => a.name))].join("+")}-${shortHash(deciding)}`);
  if (!flags.quiet) {
    sayAssumed(assumedOf(said, model.spec), path);
    process.stderr.write(`${list.length} runs: every combination of\n`);
    for (const values of listsTyped(flags, plugins.attacks)) process.stderr.write(`  ${values}\n`);
    for (const remark of new Set(list.flatMap(budgetRemarks))) process.stderr.write(`note: ${remark}\n`);
  }
  const end = await runTold(cells, { root, plugins }, flags);
  if (end.stopped) {
    process.stderr.write(`${cells.length - end.left.length} of ${cells.length} runs are done; repeat the command to go on\n`);
    return 130;
  }
  if (end.failed.length > 0) return 1;
  const { benchmarkText, writeBenchmark } = await import("../../benchmark/write.js");
  const { benchmark, report } = await writeBenchmark([root], root, { version });
  const misses = benchmark.rows.flatMap(({ path, summary }) =>
    missed(thresholds, summary, model.spec.task).map((sentence) => `${basename(path)}: ${sentence}`),
  );
  const failed = benchmark.rows.filter((row) => row.audit === "failed").map((row) => basename(row.path));
  for (const sentence of misses) process.stderr.write(`faultline: ${sentence}\n`);
  const refused = failed.length > 0 && !flags.allowAudit;
  if (refused) process.stderr.write(`faultline: the audit failed of ${failed.join(", ")}; --allow-audit lets it pass.\n`);
  const lost = flags.allowFailed ? undefined : failedSamples(benchmark.rows);
  if (lost !== undefined) process.stderr.write(`faultline: ${lost}\n`);
  const exitCode = refused ? 1 : misses.length > 0 ? 2 : lost === undefined ? 0 : 3;
  if (flags.json)
    process.stdout.write(
      `${JSON.stringify({ run: root, report, exitCode, missed: misses, cards: benchmark.cards }, undefined, 2)}\n`,
    );
  else if (!flags.quiet) process.stdout.write(`${benchmarkText(benchmark)}${report}\n`);
  return exitCode;
}

/** What tells the attacks apart, as names of folders: cospgd-epsilon-8-255-steps-20. */
function labelsOf(list: readonly Attack[], flags: AttackCommandFlags): string[] {
  const all = list.map((a) => new Map(typed(a)));
  const listed = Object.entries(flags).flatMap(([name, v]) => (typeof v === "string" && v.includes(",") ? [flagOf(name)] : []));
  const differing = listed.filter((flag) => all.some((t) => t.has(flag)));
  return list.map(({ name }, i) =>
    [name, ...differing.flatMap((flag) => (all[i]!.has(flag) ? [flag.slice(2), all[i]!.get(flag)!] : []))]
      .join("-")
      .replaceAll(/[^\w.+-]/g, "-"),
  );
}

/** The same command has the same name, and resumes; other settings have another, and never meet a run of theirs. */
function nameOf(plan: AttackPlan): string {
  const { shard, ...rest } = planFile(plan);
  const settings = shortHash(identityOf(rest));
  const part = shard ? `-${shard.index}of${shard.count}` : "";
  return `${nameOfModel(rest.model.path)}-${rest.attack.name}-${settings}${part}`;
}

async function attackTensors(
  chosen: Attack,
  path: string,
  { spec: said, assumed }: SaidSpec,
  plugins: Plugins,
  flags: AttackCommandFlags,
): Promise<void> {
  if (flags.data) throw new UsageError("--input takes the place of --data; name one of them.");
  if (flags.goal === "targeted" && !flags.target)
    throw new UsageError("--goal targeted: say with --target FILE what the attack drives towards.");
  if (flags.target && !/\.(safetensors|npz|npy)$/i.test(flags.target))
    throw new UsageError(
      `--target ${flags.target}: with --input the target is a file of tensors too (.safetensors, .npz or .npy).`,
    );
  for (const name of ["fitOn", "perturbation", "failUnder", "failOver", "allowAudit", "allowFailed", "json"] as const)
    if (flags[name] !== undefined) throw new UsageError(`${flagOf(name)} goes with --data.`);
  const read = [flags.input!, flags.target, flags.start].filter((file) => file !== undefined);
  if (flags.out !== undefined) demandOutput(flags.out, read, "--out");
  if (flags.trace !== undefined) demandOutput(flags.trace, read, "--trace");
  for (const name of ["format", "split", "variant", "limit", "resize", "shorter", "crop", "tile", "overlap", "shard"] as const)
    if (flags[name] !== undefined) throw new UsageError(`--${name} goes with --data.`);
  if (flags.mismatch !== "pad")
    throw new UsageError(`--mismatch ${flags.mismatch} goes with --data; tensors have the size that the model takes.`);
  if (flags.transferTo)
    throw new UsageError("--transfer-to goes with --data; attack the other model's input with the images of --out.");
  if (flags.save !== "8-bit") throw new UsageError("--save goes with --data; --trace keeps every iterate as floats.");
  if (flags.batch !== 1) throw new UsageError(`--batch ${flags.batch} goes with --data; tensors are one batch as they are.`);
  if (flags.reference !== "truth")
    throw new UsageError(
      "--reference goes with --data; without --target, tensors are driven away from the model's own prediction.",
    );
  const model = await readPredicting(path, said);
  const spec = await withHeadRead(model, completeSpec(model, said));
  const eot = await eotOf(flags.eot, flags.eotSamples);
  const region = flags.region === undefined ? undefined : await readRegion(flags.region);
  const goal = flags.goal ?? "untargeted";
  await checkAttack(
    chosen,
    { task: taskWith(tasks[spec.task], plugins), goal },
    { perturb: flags.perturb !== undefined, region: region !== undefined, transform: eot !== undefined },
  );
  if (!flags.quiet) sayAssumed(assumed, path);
  if (!flags.quiet) for (const remark of budgetRemarks(chosen)) process.stderr.write(`note: ${remark}\n`);
  const stop = interruptible();
  const bar = progress(chosen.name, chosen.budget.steps || 1);
  try {
    const outcome = await withEngine(flags, (engine) =>
      runTensors(
        {
          engine,
          model,
          spec,
          attack: chosen,
          goal,
          plugins,
          scale: flags.scale ?? tasks[spec.task].scale,
          seed: flags.seed,
          ...(eot && { eot }),
          perturb: flags.perturb,
          memory: flags.memory,
          region,
          signal: stop.signal,
          onStep: (step, loss) => bar.update(step + 1, `loss ${loss.toPrecision(5)}`),
        },
        { input: flags.input!, target: flags.target, start: flags.start, trace: flags.trace, output: flags.out },
      ),
    );
    bar.stop();
    const mean = (v: Float32Array) => (v.reduce((a, b) => a + b, 0) / v.length).toPrecision(6);
    process.stdout.write(
      `mean loss ${mean(outcome.clean.loss)} clean, ${mean(outcome.loss)} after ${flags.attack}; correct ${mean(outcome.clean.correct)} -> ${mean(outcome.correct)}\n`,
    );
    for (const [name, values] of Object.entries(outcome.found ?? {})) {
      const known = values.filter(Number.isFinite);
      process.stdout.write(
        `${name}: median ${known.length > 0 ? Number(median(known).toPrecision(6)) : "-"} over ${known.length} of ${values.length} images\n`,
      );
    }
    for (const file of [flags.trace, flags.out]) if (file) process.stdout.write(`${file}\n`);
  } finally {
    bar.stop();
    stop.done();
  }
}
