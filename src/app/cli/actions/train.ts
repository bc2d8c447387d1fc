import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fingerprintOf } from "../../data/fingerprint.js";
import { hashFile } from "../../hash-file.js";
import { interruptible, progress, sayUnless } from "../../runs/progress.js";
import { RunDirectory } from "../../runs/run-directory.js";
import { openConfigured } from "../../train/build.js";
import { type ImportedTrainConfig, readTrainConfig, type TrainSettings } from "../../train/config.js";
import { importedSpec } from "../../train/imported.js";
import { identityOf, runTraining, type TrainPlan, type TrainRecord } from "../../train/run-train.js";
import type { TrainFlags } from "../commands/train.js";
import { version } from "../version.js";
import { withEngine } from "./engine.js";

/** `faultline train config.json` */
export async function train(path: string, flags: TrainFlags): Promise<void> {
  const { config, plugins } = await readTrainConfig(path, flags.plugin);
  const begun = "model" in config ? config.model : config.start;
  const start = begun === undefined ? undefined : await hashFile(begun);
  const data = await fingerprintsOf(config);
  await withEngine(flags, async (engine) => {
    const { provider, runtime, threads, optimization } = engine.info;
    const facts = {
      command: "train",
      version,
      ...(start && { start }),
      ...(Object.keys(data).length > 0 && { data }),
      ...(plugins.files.length > 0 && { plugins: plugins.files }),
      runtime: { provider, runtime, threads, optimization },
    };
    const plan: TrainPlan | TrainPlan<ImportedTrainConfig> =
      "model" in config ? { ...facts, config, ...said(config) } : { ...facts, config };
    const out = flags.out ?? `runs/${basename(path, ".json")}`;
    const run = RunDirectory.open<TrainRecord, typeof plan>(out, plan, { folders: [], identity: identityOf });
    const say = sayUnless(flags.quiet);
    const stop = interruptible();
    const bar = progress("train", config.steps, run.records.at(-1)?.index ?? 0, say);
    try {
      say(beginning(out, run.records.at(-1)?.index ?? 0, config));
      const end = await runTraining(engine, plan, run, {
        signal: stop.signal,
        plugins,
        onProgress: (step, note) => bar.update(step, note),
        onNote: (sentence) => say(`note: ${sentence}\n`),
      });
      bar.stop();
      if (end === "stopped") {
        process.stderr.write("stopped; run the same command again to go on\n");
        process.exitCode = 130;
        run.close();
        return;
      }
      const inWords = (metrics: Readonly<Record<string, number>>) =>
        Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(3)}`);
      const metrics = inWords(end.evaluated?.evaluation ?? {});
      // What the network must beat.
      const untouched = end.untouched ? `degraded, as they are: ${inWords(end.untouched).join(", ")}\n` : "";
      if (end.steps < config.steps)
        say(
          `stopped after ${end.steps} of ${config.steps} steps: ${end.rule?.metric} was best at step ${end.evaluated?.index}\n`,
        );
      if (flags.json) process.stdout.write(readFileSync(join(out, "summary.json"), "utf8"));
      else
        process.stdout.write(
          `${[`loss ${run.records.at(-1)!.loss!.toPrecision(5)}`, ...metrics].join(", ")}\n${untouched}${out}/model.onnx\n${out}/card.md\n`,
        );
      run.close();
    } catch (error) {
      run.abandon();
      throw error;
    } finally {
      bar.stop();
      stop.done();
    }
  });
}

/** What is to be done: all of it, the rest, or nothing more. */
function beginning(out: string, done: number, config: TrainSettings & { readonly model?: string }): string {
  if (done === 0) return `run directory ${out}\n`;
  if (!existsSync(join(out, "summary.json"))) return `resuming ${out}: ${done} of ${config.steps} steps are done\n`;
  const from = config.model === undefined ? `"start": "${out}/model.safetensors"` : `"model": "${out}/model.onnx"`;
  return `${out} is finished, ${done} steps: what follows is its result. To train on from there, say ${from} in a configuration of its own, or --out DIR with more steps to begin anew\n`;
}

/** Of data that lie in folders; others are said in full by the configuration. */
async function fingerprintsOf({ data, evaluation, task }: TrainSettings): Promise<NonNullable<TrainPlan["data"]>> {
  const of = async (config: TrainSettings["data"] | undefined) =>
    config?.kind === "folder" ? await fingerprintOf(await openConfigured(config, task)) : undefined;
  const [training, evaluated] = [await of(data), await of(evaluation?.data)];
  return { ...(training && { training }), ...(evaluated && { evaluation: evaluated }) };
}

/** What a plan keeps of a model's specification. */
function said(config: ImportedTrainConfig): Pick<TrainPlan, "spec" | "assumed"> {
  const { spec, assumed } = importedSpec(config);
  return { spec, ...(assumed.length > 0 && { assumed: assumed.map((a) => a.field) }) };
}
