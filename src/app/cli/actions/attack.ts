import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Engine } from "../../../engine/runtime/engine.js";
import { type Attack, budgetRemarks, checkAttack } from "../../../methods/attacks/definition.js";
import { readImage } from "../../../vision/data/node/image-file.js";
import type { Assumption } from "../../../vision/spec/assumptions.js";
import { completeSpec } from "../../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../../vision/spec/model-spec.js";
import { tasks } from "../../../vision/tasks/index.js";
import { type Finish, finishRun } from "../../attack/finish.js";
import { learnedIn } from "../../attack/fit-stage.js";
import { flagOf } from "../../attack/flag-of.js";
import { typed } from "../../attack/parameters.js";
import { type AttackPlan, identityOf, type PlanFile, planFile, runFormat } from "../../attack/plan.js";
import { withPictures } from "../../attack/prepare.js";
import { readRegion } from "../../attack/reopen.js";
import { type AttackRecord, type Compiling, plannedBatches, runAttack } from "../../attack/run-attack.js";
import { runTensors } from "../../attack/run-tensors.js";
import { gradientFaults, gradientRemarks } from "../../attack/summary.js";
import { missed } from "../../attack/thresholds.js";
import { eotOf } from "../../attack/transform-of.js";
import { compareRuns } from "../../compare/runs.js";
import { tableText } from "../../compare/tables.js";
import { verdict, writeComparison } from "../../compare/write.js";
import { fingerprintOf } from "../../data/fingerprint.js";
import { hashFile, shortHash } from "../../hash-file.js";
import { nameOfModel } from "../../name-of-model.js";
import { loadPlugins, type Plugins, taskWith } from "../../plugins/plugins.js";
import { readPredicting } from "../../read-predicting.js";
import { makeFolder, removeEmpty } from "../../runs/folders.js";
import { interruptible, progress } from "../../runs/progress.js";
import { RunDirectory } from "../../runs/run-directory.js";
import { attacksTyped } from "../attack-flags.js";
import type { AttackCommandFlags } from "../commands/attack.js";
import { UsageError } from "../errors.js";
import { version } from "../version.js";
import { dataOptions, openFlagged } from "./data.js";
import { withEngine } from "./engine.js";
import { finishOf } from "./finish.js";
import { fitOf } from "./fit.js";
import { demandLearner, fitOnOf } from "./fit-on.js";
import { resolveSpec, sayAssumed } from "./spec.js";
import { transferModels } from "./transfer.js";

/** `faultline attack model.onnx --task segmentation --data DIR` */
export async function attack(path: string, flags: AttackCommandFlags): Promise<void> {
  const plugins = await loadPlugins(flags.plugin);
  const list = attacksTyped(flags, plugins.attacks);
  const [chosen] = list as [Attack];
  demandLearner(list, flags);
  const { spec: said, assumed } = resolveSpec(path, flags);
  const model = await readPredicting(path, said);
  const spec = completeSpec(model, said);
  await withEngine(flags, async (engine) => {
    const equipment = { engine, model, plugins };
    if (list.length > 1) process.exitCode = await sweep(equipment, list, path, spec, assumed, flags);
    else if (flags.input) await attackTensors(equipment, chosen, path, spec, assumed, flags);
    else process.exitCode = await attackDataset(equipment, chosen, path, spec, assumed, flags);
  });
}

/** What both kinds of run work with. */
interface Equipment {
  readonly engine: Engine;
  readonly model: Awaited<ReturnType<typeof readPredicting>>;
  readonly plugins: Plugins;
}

/** One attack on a data set, as a run directory; gives the exit code. */
export async function attackDataset(
  { engine, model, plugins }: Equipment,
  chosen: Attack,
  path: string,
  specOfModel: ModelSpec,
  assumed: readonly Assumption[],
  flags: AttackCommandFlags,
  within?: Pick<Finish, "print" | "of">,
): Promise<number> {
  if (!flags.data) throw new UsageError("name the images with --data DIR (or tensors with --input FILE).");
  for (const [name, value] of [
    ["--start", flags.start],
    ["--trace", flags.trace],
    ["--goal", flags.goal],
  ] as const) {
    if (value) throw new UsageError(`${name} goes with --input FILE.`);
  }
  const { dataset: whole, spec, name: dataName } = await openFlagged(flags.data, specOfModel, flags);
  const fit = fitOf(flags, spec);
  const finish = { ...finishOf(flags, spec.task), ...within };
  if (chosen.definition.seeks === "smallest perturbation" && chosen.budget.epsilon === undefined && finish.thresholds.length > 0)
    throw new UsageError(
      `${finish.thresholds[0]!.flag}: ${chosen.name} breaks every image that it can, however far it must go; say with --epsilon within which radius the bound is to hold.`,
    );
  if (flags.shard && finish.thresholds.length > 0)
    throw new UsageError(
      `${finish.thresholds[0]!.flag}: a part of a run has no number of its own; say it to faultline audit, of the merged run.`,
    );
  const dataset = withPictures(whole, fit);
  const eot = await eotOf(flags.eot, flags.eotSamples);
  const kind = flags.target === undefined ? "untargeted" : "targeted";
  const aim = { task: taskWith(tasks[spec.task], plugins), goal: kind } as const;
  await checkAttack(chosen, aim, {
    perturb: flags.perturb !== undefined,
    region: flags.region !== undefined,
    transform: eot !== undefined,
  });
  const others = await transferModels(flags.transferTo ?? [], {}, spec.task, !flags.quiet);
  const learning = await fitOnOf(chosen, flags, spec, fit);
  const plan: AttackPlan = {
    command: "attack",
    format: runFormat,
    version,
    model: { path, sha256: await hashFile(path) },
    spec,
    ...(assumed.length > 0 && { assumed: assumed.map((a) => a.field) }),
    data: {
      path: dataName,
      ...dataOptions(flags),
      sha256: await fingerprintOf(whole),
      length: dataset.length,
      ...(flags.limit && { limit: flags.limit }),
    },
    fit,
    ...(plugins.files.length > 0 && { plugins: [...plugins.files] }),
    attack: chosen,
    threat: {
      scale: flags.scale ?? tasks[spec.task].scale,
      ...(flags.perturb && { perturb: flags.perturb }),
      ...(eot && { eot }),
      ...(flags.region && { region: flags.region }),
    },
    ...(learning && { fitOn: learning.fitOn }),
    goal: flags.target === undefined ? { kind: "untargeted" } : { kind: "targeted", target: flags.target },
    reference: flags.reference,
    save: others.length > 0 ? "float" : flags.save,
    ...(others.length > 0 && { transfer: others }),
    batch: flags.batch,
    seed: flags.seed,
    ...(flags.shard && { shard: flags.shard }),
    runtime: {
      provider: engine.info.provider,
      runtime: engine.info.runtime,
      threads: engine.info.threads,
      optimization: engine.info.optimization,
      ...(flags.memory && { memory: flags.memory }),
    },
  };
  const target =
    flags.target === undefined
      ? undefined
      : await aim.task.wish.read(flags.target, readImage, spec.classes ?? dataset.classNames);
  const region = flags.region === undefined ? undefined : await readRegion(flags.region);
  const context = { engine, model, plan, plugins, dataset, target, region, lessons: learning?.lessons };
  const out = flags.out ?? join("runs", nameOf(plan));
  const run = RunDirectory.open<AttackRecord, PlanFile>(out, planFile(plan), { identity: identityOf });
  const stop = interruptible();
  try {
    const total = plannedBatches(plan).reduce((n, b) => n + b.length, 0);
    if (!flags.quiet && !within) sayAssumed(assumed, path);
    if (!flags.quiet) for (const remark of budgetRemarks(chosen)) process.stderr.write(`note: ${remark}\n`);
    finish.say(
      `${dataset.describe()}\n${run.records.length > 0 ? `resuming ${out}: ${run.records.length} of ${total} samples are done\n` : `run directory ${out}\n`}`,
    );
    const bar = progress(chosen.name, total, run.records.length, finish.say);
    try {
      await runAttack(context, run, {
        signal: stop.signal,
        onProgress: (done, note) => bar.update(done, note),
        onLearning: (what, samples) =>
          finish.say(
            samples > 0
              ? `one ${what} for all samples, learned from ${samples} that are not measured\n`
              : `one ${what} for all samples, from ${flags.perturbation}\n`,
          ),
        onSizes: ({ sizes, programs }) => {
          const each = programs > sizes ? `, ${programs} with the sizes of their batches` : "";
          finish.say(`pictures of ${sizes} sizes${each}: each is compiled for once, and they are attacked size by size\n`);
        },
        onCompile: (compiling) => finish.say(compilingText(compiling)),
        onFirstBatch: (records) => {
          const done = records.filter((r) => r.gradient);
          for (const remark of gradientRemarks(gradientFaults(done), done.length)) finish.say(`first batch: ${remark}\n`);
        },
      });
    } finally {
      bar.stop();
    }
    if (run.records.length < total) {
      process.stderr.write(`stopped after ${run.records.length} of ${total} samples; run the same command again to go on\n`);
      return 130;
    }
    // From here Ctrl-C ends the process at once: all records are on disk, and the same command audits and reports again.
    stop.done();
    run.sort();
    const [first] = run.records;
    if (first && run.records.every((r) => r.error))
      throw new UsageError(
        run.records.length === 1
          ? `the only sample could not be attacked: ${first.error}`
          : `not one of the ${run.records.length} samples could be attacked; the first: ${first.error}`,
      );
    const code = await finishRun({ ...context, fitted: await learnedIn(plan, run.path) }, run, finish);
    const again = run.records.filter((r) => r.retry).length;
    if (again > 0)
      throw new UsageError(`${again} samples found the disk full; make room and run the same command again to do them.`);
    return code;
  } catch (error) {
    run.abandon();
    throw error;
  } finally {
    stop.done();
    run.close();
  }
}

/**
 * Several attacks, one after the other, each a run of its own within one directory; then the table and the curves of all.
 *
 * @returns the exit code: the gravest of the runs'.
 */
async function sweep(
  equipment: Equipment,
  list: readonly Attack[],
  path: string,
  spec: ModelSpec,
  assumed: readonly Assumption[],
  flags: AttackCommandFlags,
): Promise<number> {
  if (flags.input) throw new UsageError("--input traces one attack; several are for --data.");
  if (flags.shard) throw new UsageError("--shard cuts one attack into parts; do the attacks one by one.");
  const names = labelsOf(list, flags);
  const { out: _, json: __, quiet: ___, ...deciding } = { ...flags, data: flags.data && resolve(flags.data) };
  const settings = shortHash(deciding);
  const root = flags.out ?? join("runs", `${nameOfModel(path)}-${[...new Set(list.map((a) => a.name))].join("+")}-${settings}`);
  if (existsSync(join(root, "run.json")))
    throw new UsageError(`${root} is the run of one attack; name another directory with --out.`);
  const made = makeFolder(root);
  const index = join(root, "sweep.json");
  writeFileSync(index, `${JSON.stringify({ command: "sweep", format: runFormat, runs: names }, undefined, 2)}\n`);
  if (!flags.quiet) sayAssumed(assumed, path);
  const codes: number[] = [];
  try {
    for (const [i, attack] of list.entries()) {
      if (!flags.quiet) process.stderr.write(`${i + 1} of ${list.length}: ${names[i]}\n`);
      const own = { ...flags, attack: attack.name, out: join(root, names[i]!) };
      const code = await attackDataset(equipment, attack, path, spec, assumed, own, {
        print: "problems only",
        of: `${names[i]}: `,
      });
      if (code === 130) return code;
      codes.push(code);
    }
  } catch (error) {
    if (readdirSync(root).length === 1) rmSync(index);
    removeEmpty(made);
    throw error;
  }
  const comparison = await compareRuns([root]);
  const report = writeComparison(comparison, root);
  const exitCode = codes.includes(1) ? 1 : Math.max(...codes);
  const { thresholds } = finishOf(flags, spec.task);
  const misses = comparison.rows.flatMap(({ path, summary }) =>
    missed(thresholds, summary, spec.task).map((sentence) => `${basename(path)}: ${sentence}`),
  );
  if (flags.json)
    process.stdout.write(`${JSON.stringify({ run: root, report, exitCode, missed: misses, ...comparison }, undefined, 2)}\n`);
  else if (!flags.quiet) process.stdout.write(`${tableText(comparison)}${verdict(comparison)}\n${report}\n`);
  return exitCode;
}

/** Said where setting up takes more than two seconds; the half of it that reads the model takes the smaller part of the time. */
function compilingText({ height, width, stage, seconds, before }: Compiling): string {
  const took = (s: number) => `${s.toFixed(s < 10 ? 1 : 0)} s`;
  if (stage === "done") return seconds > 2 ? `compiled for ${height}x${width} in ${took(seconds)}\n` : "";
  if (seconds < 0.7 && (before ?? 0) < 2) return "";
  // The first time nothing is known but what reading took: the rest took once to six times as long where it was measured.
  const left =
    before === undefined
      ? `as a rule ${took(seconds)} to ${took(6 * seconds)} more`
      : `about ${took(Math.max(0, before - seconds))} left`;
  return `compiling for ${height}x${width} ... the model is read, ${left} for the attack\n`;
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
  { engine, model, plugins }: Equipment,
  chosen: Attack,
  path: string,
  spec: ModelSpec,
  assumed: readonly Assumption[],
  flags: AttackCommandFlags,
): Promise<void> {
  if (flags.data) throw new UsageError("--input takes the place of --data; name one of them.");
  if (flags.goal === "targeted" && !flags.target)
    throw new UsageError("--goal targeted: say with --target FILE what the attack drives towards.");
  if (flags.target && !/\.(safetensors|npz|npy)$/i.test(flags.target))
    throw new UsageError(
      `--target ${flags.target}: with --input the target is a file of tensors too (.safetensors, .npz or .npy).`,
    );
  for (const name of ["fitOn", "perturbation"] as const)
    if (flags[name] !== undefined) throw new UsageError(`${flagOf(name)} goes with --data.`);
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
  const eot = await eotOf(flags.eot, flags.eotSamples);
  const region = flags.region === undefined ? undefined : await readRegion(flags.region);
  const stop = interruptible();
  const goal = flags.goal ?? "untargeted";
  await checkAttack(
    chosen,
    { task: taskWith(tasks[spec.task], plugins), goal },
    { perturb: flags.perturb !== undefined, region: region !== undefined, transform: eot !== undefined },
  );
  if (!flags.quiet) sayAssumed(assumed, path);
  if (!flags.quiet) for (const remark of budgetRemarks(chosen)) process.stderr.write(`note: ${remark}\n`);
  const bar = progress(chosen.name, chosen.budget.steps || 1);
  try {
    const outcome = await runTensors(
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
    );
    bar.stop();
    const mean = (v: Float32Array) => (v.reduce((a, b) => a + b, 0) / v.length).toPrecision(6);
    process.stdout.write(
      `mean loss ${mean(outcome.clean.loss)} clean, ${mean(outcome.loss)} after ${flags.attack}; correct ${mean(outcome.clean.correct)} -> ${mean(outcome.correct)}\n`,
    );
    for (const [name, values] of Object.entries(outcome.found ?? {})) {
      const known = values.filter(Number.isFinite).sort();
      process.stdout.write(
        `${name}: median ${known[Math.floor(known.length / 2)]?.toPrecision(6) ?? "-"} over ${known.length} of ${values.length} images\n`,
      );
    }
    for (const file of [flags.trace, flags.out]) if (file) process.stdout.write(`${file}\n`);
  } finally {
    bar.stop();
    stop.done();
  }
}
