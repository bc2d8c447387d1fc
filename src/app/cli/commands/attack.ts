import { Command, Option } from "commander";
import { type AttackFlags, type ThreatFlags, withAttack, withThreat } from "../attack-options.js";
import { type DataFlags, withData } from "../data-options.js";
import { type FitFlags, withFit } from "../fit-options.js";
import { parseInteger, parsePositiveInteger, parseShard, type RuntimeFlags, withMemory, withRuntime } from "../model-options.js";
import { type ReportFlags, withReport } from "../report-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface AttackCommandFlags extends RuntimeFlags, SpecFlags, DataFlags, FitFlags, AttackFlags, ThreatFlags, ReportFlags {
  readonly audit: boolean;
  readonly memory?: number;
  readonly limit?: number;
  readonly reference: "truth" | "prediction";
  readonly region?: string;
  readonly batch: number;
  readonly save: "8-bit" | "float";
  readonly seed: number;
  readonly shard?: { index: number; count: number };
  readonly out?: string;
  readonly target?: string;
  readonly fitOn?: string;
  readonly perturbation?: string;
  readonly goal?: "untargeted" | "targeted";
  readonly input?: string;
  readonly start?: string;
  readonly trace?: string;
  readonly transferTo?: string[];
}

/** `faultline attack model.onnx --task segmentation --data DIR` */
export function attackCommand(): Command {
  const command = new Command("attack")
    .description("Attack a model on a data set, and check whether the result can be believed.")
    .argument("<model>", "ONNX file");
  withSpec(command.optionsGroup("The model, what it takes and yields:"));
  withFit(withData(command.optionsGroup("The pictures:")))
    .option("--limit <n>", "only n samples, a choice that --seed decides", parsePositiveInteger)
    .option(
      "--input <file>",
      "images as tensors (.safetensors, .npz, .npy) in place of a data set; --target then names a file too",
    )
    .option("--start <file>", "for --input: raw start noise in [-1, 1]");
  withThreat(withAttack(command, { help: "which attack; several, as pgd,cospgd, make a table", usual: "cospgd" }))
    .option("--region <mask.png>", "white pixels may change, black ones may not; of the size at which images are attacked")
    .option(
      "--fit-on <what>",
      "attacks that learn (universal, patch): which share of the samples, or another data set of the same kind, they learn from; all else is measured (default: 0.5)",
    )
    .option("--perturbation <file>", "what such an attack has learned before (.safetensors or .npy), in place of learning")
    .option(
      "--target <what>",
      "drive towards this instead of away: a class number, zero, negative, a distance in meters, or an image file",
    )
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
    );
  command
    .optionsGroup("The run:")
    .option("--batch <n>", "images per step", parsePositiveInteger, 1)
    .addOption(
      new Option("--save <what>", "8-bit = PNG files; float = the images' floats beside them, as safetensors")
        .choices(["8-bit", "float"])
        .default("8-bit"),
    )
    .option("--seed <n>", "seed of all random numbers", parseInteger, 0)
    .option("--shard <i/n>", "do the i-th of n parts; join them with faultline merge", parseShard)
    .option("--out <dir>", "run directory (default: runs/MODEL-ATTACK-SETTINGS)")
    .option("--trace <file>", "for --input: store every iterate, gradient, weight and loss (.safetensors or .npz)");
  withReport(command.optionsGroup("The result:"))
    .option(
      "--transfer-to <model.onnx>",
      "measure the images on this model as well, before and after rounding (keeps them as --save float does); what it takes is said in MODEL.spec.json; repeatable",
      (path: string, before: string[] = []) => [...before, path],
    )
    .option("--no-audit", "do not audit the run; the report says so");
  return withRuntime(withMemory(command.optionsGroup("How it is computed:")))
    .addHelpText(
      "after",
      `
Images, epsilon and results are in [0, 1] whatever the model takes. Re-running the same command resumes an interrupted run.
--attack and its parameters take lists (--attack pgd,cospgd --epsilon 2/255,8/255): every combination is a run, and one table and curves show all.
Exit codes: 0 done; 1 an error, or a failed audit; 2 a bound of --fail-under or --fail-over is missed; 3 samples failed; 130 stopped by Ctrl-C.

Examples:
  faultline attack deeplab.onnx --task segmentation --range imagenet --data VOC2012 --attack cospgd --epsilon 8/255 --steps 20
  faultline attack raft.onnx --task flow --range 0..255 --size-rule multiple:8 --data KITTI --target zero
  faultline attack resnet.onnx --task classification --range imagenet --data photos --attack apgd --norm l_2 --epsilon 0.5`,
    )
    .action(async (path: string, flags: AttackCommandFlags) => (await import("../actions/attack.js")).attack(path, flags));
}
