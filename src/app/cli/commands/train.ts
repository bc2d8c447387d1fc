import { Command } from "commander";
import { pluginOption } from "../attack-options.js";
import { type RuntimeFlags, withQuiet, withRuntime } from "../model-options.js";

export interface TrainFlags extends RuntimeFlags {
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly plugin?: string[];
}

/** `faultline train config.json` */
export function trainCommand(): Command {
  return withQuiet(withRuntime(new Command("train")))
    .description("Train a network on a data set or on synthetic scenes, plainly or against attacks.")
    .argument("<config>", "JSON file that says network, data, loss, optimizer, schedule, adversary (docs/training.md)")
    .option("--out <dir>", "run directory (default: runs/CONFIG)")
    .addOption(pluginOption("a module of your own with attacks, which adversary.attack then knows; repeatable"))
    .option("--json", "print what came of it (summary.json) on standard output, and nothing else there")
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
    .action(async (path: string, flags: TrainFlags) => (await import("../actions/train.js")).train(path, flags));
}
