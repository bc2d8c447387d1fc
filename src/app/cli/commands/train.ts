import { basename } from "node:path";
import { Command } from "commander";
import { hashFile } from "../../attack/plan.js";
import { interruptible, progress } from "../../runs/progress.js";
import { RunDirectory } from "../../runs/run-directory.js";
import { readTrainConfig } from "../../train/config.js";
import { runTraining, type TrainPlan, type TrainRecord } from "../../train/run-train.js";
import { type RuntimeFlags, withEngine, withRuntime } from "../model-options.js";
import { version } from "../version.js";

interface Flags extends RuntimeFlags {
  readonly out?: string;
}

/** `faultline train config.json` */
export function trainCommand(): Command {
  return withRuntime(new Command("train"))
    .description("Train a network on a data set or on synthetic scenes, plainly or against attacks.")
    .argument("<config>", "JSON file that says network, data, loss, optimiser, schedule, adversary (docs/training.md)")
    .option("--out <dir>", "run directory (default: runs/CONFIG)")
    .addHelpText(
      "after",
      `
Writes model.onnx, model.safetensors, network.json, card.md, loss.svg, records.jsonl and checkpoint.safetensors to the run directory, and
best.safetensors where evaluation.best asks for it. Ctrl-C writes a checkpoint; the same command goes on from there, and the result has
the bits of an unbroken run.

Example config.json:
  { "task": "restoration", "network": "nafnet-gopro-w32", "data": { "kind": "folder", "path": "GoPro", "split": "train" },
    "crop": [256, 256], "flips": ["horizontal"], "batch": 8, "steps": 200000, "loss": "psnr",
    "optimizer": { "name": "adamw", "learningRate": 0.001, "betas": [0.9, 0.9], "weightDecay": 0.001 },
    "schedule": { "kind": "cosine", "floor": 0.0001 }, "adversary": { "attack": "fgsm", "epsilon": "8/255" } }`,
    )
    .action(async (path: string, flags: Flags) => {
      const config = readTrainConfig(path);
      const start = config.start === undefined ? undefined : await hashFile(config.start);
      await withEngine(flags, async (engine) => {
        const { provider, runtime, threads, optimization } = engine.info;
        const plan: TrainPlan = {
          command: "train",
          version,
          config,
          ...(start && { start }),
          runtime: { provider, runtime, threads, optimization },
        };
        const out = flags.out ?? `runs/${basename(path, ".json")}`;
        const run = RunDirectory.open<TrainRecord>(out, plan, []);
        const stop = interruptible();
        const bar = progress("train", config.steps, run.records.at(-1)?.index ?? 0);
        try {
          process.stderr.write(run.records.length > 0 ? `resuming ${out}\n` : `run directory ${out}\n`);
          const end = await runTraining(engine, plan, run, {
            signal: stop.signal,
            onProgress: (step, note) => bar.update(step, note),
          });
          bar.stop();
          if (end === "stopped") {
            process.stderr.write("stopped; run the same command again to go on\n");
            process.exitCode = 130;
            run.close();
            return;
          }
          const metrics = Object.entries(end.evaluated?.evaluation ?? {}).map(([name, value]) => `${name} ${value.toFixed(3)}`);
          if (end.steps < config.steps)
            process.stderr.write(
              `stopped after ${end.steps} of ${config.steps} steps: ${end.rule?.metric} was best at step ${end.evaluated?.index}\n`,
            );
          process.stdout.write(
            `${[`loss ${run.records.at(-1)!.loss!.toPrecision(5)}`, ...metrics].join(", ")}\n${out}/model.onnx\n${out}/card.md\n`,
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
    });
}
