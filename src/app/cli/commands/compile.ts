import { Command, Option } from "commander";
import type { Goal } from "../../../methods/attacks/attacked-model.js";
import { type AttackFlags, type ThreatFlags, withAttack, withThreat } from "../attack-options.js";
import { parsePositiveInteger, parseSize, type RuntimeFlags, withMemory, withRuntime } from "../model-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface CompileFlags extends RuntimeFlags, SpecFlags, AttackFlags, ThreatFlags {
  readonly size?: { height: number; width: number };
  readonly batch?: number;
  readonly goal: Goal;
  readonly with?: ("valid" | "region")[];
  readonly also?: ("start" | "evaluation")[];
  readonly memory?: number;
  readonly externalData?: true;
  readonly output: string;
}

/** `faultline compile model.onnx --task segmentation --size 512x512 -o step.onnx` */
export function compileCommand(): Command {
  const command = new Command("compile")
    .description("Write a whole attack step (model, loss, gradient, update, projection) as one ONNX file.")
    .argument("<model>", "ONNX file");
  withSpec(command.optionsGroup("The model, what it takes and yields:"));
  withThreat(withAttack(command, { usual: "cospgd" })).addOption(
    new Option("--goal <goal>", "whether the step drives away from its target or towards it")
      .choices(["untargeted", "targeted"])
      .default("untargeted"),
  );
  command
    .optionsGroup("The files:")
    .requiredOption("-o, --output <step.onnx>", "where to write the step; a .md and a .json file beside it describe it")
    .option("--size <HxW>", "size of the images (default: the model's, where it is fixed)", parseSize)
    .option("--batch <n>", "images per step (default: the model's where it is fixed, else 1)", parsePositiveInteger)
    .addOption(
      new Option("--with <input...>", "further inputs: a mask of known targets, a mask of pixels that may change").choices([
        "valid",
        "region",
      ]),
    )
    .addOption(
      new Option("--also <graph...>", "further files beside it: STEP.start.onnx, STEP.evaluation.onnx").choices([
        "start",
        "evaluation",
      ]),
    )
    .option("--external-data", "put the weights beside the file, STEP.onnx.data (by itself where they are more than 2 GB)");
  return withRuntime(withMemory(command.optionsGroup("How it is computed:")))
    .addHelpText(
      "after",
      `
Example: faultline compile deeplab.onnx --task segmentation --range imagenet --size 512x512 --attack cospgd -o step.onnx`,
    )
    .action(async (path: string, flags: CompileFlags) => (await import("../actions/compile.js")).compile(path, flags));
}
