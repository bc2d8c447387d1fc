import { Command, Option } from "commander";
import type { Shape } from "../../../engine/tensor/tensor.js";
import { type DownChoiceName, downChoiceNames, type UpChoiceName, upChoiceNames } from "../../../methods/retrofit/names.js";
import { parseInteger, parsePositiveInteger, parseShape, type RuntimeFlags, withRuntime } from "../model-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface RetrofitFlags extends RuntimeFlags, SpecFlags {
  readonly down?: DownChoiceName;
  readonly up?: UpChoiceName;
  readonly shape?: Record<string, Shape>;
  readonly data?: string;
  readonly corruption?: string;
  readonly images: number;
  readonly seed: number;
  readonly json?: true;
  readonly output: string;
}

/** `faultline retrofit model.onnx --down flc --up lctc-7 -o model.flc.onnx` */
export function retrofitCommand(): Command {
  return withRuntime(withSpec(new Command("retrofit")))
    .description("Replace how a model changes resolutions by alias-free and large-context forms; its weights are kept.")
    .argument("<model>", "ONNX file")
    .requiredOption("-o, --output <file>", "where to write the new model")
    .addOption(
      new Option("--down <choice>", "strided convolutions and pools: the layer at stride 1, then a low-pass").choices(
        downChoiceNames,
      ),
    )
    .addOption(
      new Option(
        "--up <choice>",
        "interpolations, pixel shuffles, transposed convolutions: one with a larger kernel that begins as the same function",
      ).choices(upChoiceNames),
    )
    .option(
      "--shape <name=1x3x224x224>",
      "shape of an input with dynamic axes; the new model takes it alone; repeatable",
      parseShape,
    )
    .option("--data <dir>", "pictures to measure on how far the output moved (default: synthetic ones)")
    .option("--corruption <kind:severity>", "do this to the pictures first: fog:3 (faultline corrupt --help lists kinds)")
    .option("--images <n>", "how many", parsePositiveInteger, 3)
    .option("--seed <n>", "seed of synthetic pictures", parseInteger, 0)
    .option("--json", "print the changes as JSON")
    .addHelpText(
      "after",
      `
The new model is a plain ONNX file of the given size. Train it further with faultline train where the task needs it.

Example: faultline retrofit resnet50.onnx --down flc --range imagenet --data photos -o resnet50.flc.onnx`,
    )
    .action(async (path: string, flags: RetrofitFlags) => (await import("../actions/retrofit.js")).retrofit(path, flags));
}
