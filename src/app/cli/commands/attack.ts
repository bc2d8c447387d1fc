import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { Command, Option } from "commander";
import { readModel } from "../../../engine/onnx/read-file.js";
import type { Engine } from "../../../engine/runtime/engine.js";
import { completeSpec } from "../../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../../vision/spec/model-spec.js";
import { attackOf, attacksOf, usualSteps } from "../../attack/attack-of-plan.js";
import { finishRun } from "../../attack/finish.js";
import { type AttackPlan, hashFile } from "../../attack/plan.js";
import { readRegion } from "../../attack/reopen.js";
import { type AttackRecord, plannedBatches, runAttack } from "../../attack/run-attack.js";
import { runTensors } from "../../attack/run-tensors.js";
import { targetMaker } from "../../attack/targets.js";
import { eotOf } from "../../attack/transform-of.js";
import { interruptible, progress } from "../../runs/progress.js";
import { RunDirectory } from "../../runs/run-directory.js";
import { type AttackFlags, parseShard, withAttack } from "../attack-options.js";
import { type DataFlags, dataOptions, openFlagged, withData } from "../data-options.js";
import { UsageError } from "../errors.js";
import { type FitFlags, fitOf, withFit } from "../fit-options.js";
import { parseInteger, parsePositiveInteger, type RuntimeFlags, withEngine, withRuntime } from "../model-options.js";
import { resolveSpec, type SpecFlags, withSpec } from "../spec-options.js";
import { version } from "../version.js";

interface Flags extends RuntimeFlags, SpecFlags, DataFlags, FitFlags, AttackFlags {
  readonly limit?: number;
  readonly reference: "truth" | "prediction";
  readonly region?: string;
  readonly batch: number;
  readonly seed: number;
  readonly shard?: { index: number; count: number };
  readonly out?: string;
  readonly target?: string;
  readonly goal?: "untargeted" | "targeted";
  readonly input?: string;
  readonly start?: string;
  readonly trace?: string;
}

/** `faultline attack model.onnx --task segmentation --data DIR` */
export function attackCommand(): Command {
  return withRuntime(withAttack(withFit(withData(withSpec(new Command("attack"))))))
    .description("Attack a model on a data set: white-box, pixel-wise, with an audit of the result.")
    .argument("<model>", "ONNX file")
    .option("--limit <n>", "only the first n samples", parsePositiveInteger)
    .addOption(
      new Option("--reference <what>", "what an untargeted attack drives away from")
        .choices(["truth", "prediction"])
        .default("truth"),
    )
    .addOption(
      new Option("--goal <goal>", "for --input: whether --target is driven away from or towards").choices([
        "untargeted",
        "targeted",
      ]),
    )
    .option("--target <what>", "drive towards this instead of away: a class number, zero, negative, or an image file")
    .option("--region <mask.png>", "white pixels may change, black ones may not; of the size at which images are attacked")
    .option("--batch <n>", "images per step", parsePositiveInteger, 1)
    .option("--seed <n>", "seed of all random numbers", parseInteger, 0)
    .option("--shard <i/n>", "do the i-th of n parts; join them with faultline merge", parseShard)
    .option("--out <dir>", "run directory (default: runs/MODEL-ATTACK-SETTINGS)")
    .option("--input <file.safetensors>", "images as tensors in place of a data set; --target then names a file too")
    .option("--start <file.safetensors>", "for --input: raw start noise in [-1, 1]")
    .option("--trace <file.safetensors>", "for --input: store every iterate, gradient, weight and loss")
    .addHelpText(
      "after",
      `
Images, epsilon and results are in [0, 1] whatever the model takes. Re-running the same command resumes an interrupted run.

Examples:
  faultline attack deeplab.onnx --task segmentation --range imagenet --data VOC2012 --attack cospgd --epsilon 8/255 --steps 20
  faultline attack raft.onnx --task flow --range 0..255 --size-rule multiple:8 --data KITTI --target zero
  faultline attack resnet.onnx --task classification --range imagenet --data photos --attack apgd --norm l_2 --epsilon 0.5`,
    )
    .action(async (path: string, flags: Flags) => {
      const model = await readModel(path);
      const spec = completeSpec(model, resolveSpec(path, flags));
      await withEngine(flags, async (engine) => {
        if (flags.input) await attackTensors(engine, model, spec, flags);
        else await attackDataset(engine, model, path, spec, flags);
      });
    });
}

type Model = Awaited<ReturnType<typeof readModel>>;

async function attackDataset(engine: Engine, model: Model, path: string, specOfModel: ModelSpec, flags: Flags): Promise<void> {
  if (!flags.data) throw new UsageError("name the images with --data DIR (or tensors with --input FILE.safetensors).");
  for (const [name, value] of [
    ["--start", flags.start],
    ["--trace", flags.trace],
    ["--goal", flags.goal],
  ] as const) {
    if (value) throw new UsageError(`${name} goes with --input FILE.safetensors.`);
  }
  const { dataset, spec } = await openFlagged(flags.data, specOfModel, flags);
  const eot = await eotOf(flags.eot, flags.eotSamples);
  const kind = flags.target === undefined ? "untargeted" : "targeted";
  if (
    kind === "targeted" &&
    spec.task === "disparity" &&
    flags.attack.includes("cospgd") &&
    (flags.alignment ?? "softmax") === "softmax"
  )
    throw new UsageError(
      `${flags.attack}'s published alignment is 1 everywhere on one channel, so towards a target each pixel weighs 1 - 1 = 0 and nothing moves; say --alignment residual, or --attack pgd.`,
    );
  // Some attacks have a number of steps of their own.
  const steps = flags.attack === "ensemble" ? (flags.steps ?? usualSteps) : attackOf(flags.attack, flags, kind).budget.steps;
  const plan: AttackPlan = {
    command: "attack",
    version,
    model: { path, sha256: await hashFile(path) },
    spec,
    data: {
      path: flags.data,
      ...dataOptions(flags),
      length: dataset.length,
      ...(flags.limit && { limit: flags.limit }),
    },
    fit: fitOf(flags, spec),
    attack: {
      name: flags.attack,
      norm: flags.norm,
      epsilon: flags.epsilon,
      ...(flags.stepSize !== undefined && { stepSize: flags.stepSize }),
      schedule: flags.schedule,
      steps,
      restarts: flags.restarts,
      grid: flags.grid,
      ...(flags.loss && { loss: flags.loss }),
      ...(flags.alignment && { alignment: flags.alignment }),
      scale: flags.scale,
      ...(flags.perturb && { perturb: flags.perturb }),
      ...(eot && { eot }),
      ...(flags.region && { region: flags.region }),
    },
    goal: flags.target === undefined ? { kind: "untargeted" } : { kind: "targeted", target: flags.target },
    reference: flags.reference,
    batch: flags.batch,
    seed: flags.seed,
    ...(flags.shard && { shard: flags.shard }),
    runtime: {
      provider: engine.info.provider,
      runtime: engine.info.runtime,
      threads: engine.info.threads,
      optimization: engine.info.optimization,
    },
  };
  const attacks = attacksOf(plan);
  const target = flags.target === undefined ? undefined : await targetMaker(flags.target, spec.task);
  const region = flags.region === undefined ? undefined : await readRegion(flags.region);
  const out = flags.out ?? join("runs", nameOf(plan));
  const run = RunDirectory.open<AttackRecord>(out, plan);
  const stop = interruptible();
  try {
    const total = plannedBatches(plan).reduce((n, b) => n + b.length, 0);
    process.stderr.write(
      `${dataset.describe()}\n${run.records.length > 0 ? `resuming ${out}: ${run.records.length} of ${total} samples are done\n` : `run directory ${out}\n`}`,
    );
    const bar = progress(flags.attack, total, run.records.length);
    try {
      await runAttack({ engine, model, plan, attacks, dataset, target, region }, run, {
        signal: stop.signal,
        onProgress: (done, note) => bar.update(done, note),
      });
    } finally {
      bar.stop();
    }
    if (run.records.length < total) {
      process.stderr.write(`stopped after ${run.records.length} of ${total} samples; run the same command again to go on\n`);
      process.exitCode = 130;
      return;
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
    await finishRun({ engine, model, plan, attacks, dataset, target, region }, run);
    const again = run.records.filter((r) => r.retry).length;
    if (again > 0)
      throw new UsageError(`${again} samples found the disk full; make room and run the same command again to do them.`);
  } finally {
    stop.done();
    run.close();
  }
}

/** The same command has the same name, and resumes; other settings have another, and never meet a run of theirs. */
function nameOf({ shard, ...rest }: AttackPlan): string {
  const settings = createHash("sha256").update(JSON.stringify(rest)).digest("hex").slice(0, 8);
  const part = shard ? `-${shard.index}of${shard.count}` : "";
  return `${basename(rest.model.path, ".onnx")}-${rest.attack.name}-${settings}${part}`;
}

async function attackTensors(engine: Engine, model: Model, spec: ModelSpec, flags: Flags): Promise<void> {
  if (flags.data) throw new UsageError("--input takes the place of --data; name one of them.");
  if (flags.goal === "targeted" && !flags.target)
    throw new UsageError("--goal targeted: say with --target FILE.safetensors what the attack drives towards.");
  if (flags.target && !flags.target.endsWith(".safetensors"))
    throw new UsageError(`--target ${flags.target}: with --input the target is a file of tensors too, FILE.safetensors.`);
  if (flags.attack === "ensemble") throw new UsageError("--input traces one attack; the ensemble is for --data.");
  for (const name of ["format", "split", "variant", "limit", "resize", "tile", "overlap", "shard"] as const)
    if (flags[name] !== undefined) throw new UsageError(`--${name} goes with --data.`);
  if (flags.mismatch !== "pad")
    throw new UsageError(`--mismatch ${flags.mismatch} goes with --data; tensors have the size that the model takes.`);
  if (flags.batch !== 1) throw new UsageError(`--batch ${flags.batch} goes with --data; tensors are one batch as they are.`);
  if (flags.reference !== "truth")
    throw new UsageError(
      "--reference goes with --data; without --target, tensors are driven away from the model's own prediction.",
    );
  const eot = await eotOf(flags.eot, flags.eotSamples);
  const region = flags.region === undefined ? undefined : await readRegion(flags.region);
  const stop = interruptible();
  const attack = attackOf(flags.attack, flags, flags.goal ?? "untargeted");
  const bar = progress(flags.attack, attack.budget.steps);
  try {
    const outcome = await runTensors(
      {
        engine,
        model,
        spec,
        attack,
        scale: flags.scale,
        seed: flags.seed,
        ...(eot && { eot }),
        perturb: flags.perturb,
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
    for (const file of [flags.trace, flags.out]) if (file) process.stdout.write(`${file}\n`);
  } finally {
    bar.stop();
    stop.done();
  }
}
