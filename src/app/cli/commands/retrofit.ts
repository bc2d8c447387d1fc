import { Command, Option } from "commander";
import type { Shape } from "../../../engine/tensor/tensor.js";
import { type DownChoiceName, downChoiceNames, type UpChoiceName, upChoiceNames } from "../../../methods/retrofit/names.js";
import { parseInteger, parsePositiveInteger, parseShape, type RuntimeFlags, withRuntime } from "../model-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface RetrofitFlags extends RuntimeFlags, SpecFlags {
  readonly down?: DownChoiceName;
  readonly up?: UpChoiceName;
  readonly sides: "kept" | "fixed";
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
  const command = new Command("retrofit")
    .description(
      "Replace how a model changes resolutions by alias-free and large-context forms. Its weights are kept; what was replaced, what was not and why, and how far the output moved, is printed.",
    )
    .argument("<model>", "ONNX file")
    .optionsGroup("What becomes what:")
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
    .addOption(
      new Option(
        "--sides <how>",
        "height and width where the file leaves them open: kept = still open, low-passes compute their matrices from the size; fixed = those of --shape, with constant matrices, which is faster",
      )
        .choices(["kept", "fixed"])
        .default("kept"),
    )
    .option(
      "--shape <name=1x3x224x224>",
      "where the file leaves its size open: the one that it is tried at (and, with --sides fixed, takes); repeatable",
      parseShape,
    )
    .optionsGroup("The pictures:")
    .option("--data <dir>", "pictures to measure on how far the output moved (default: synthetic ones)")
    .option("--corruption <kind:severity>", "do this to the pictures first: fog:3 (faultline corrupt --help lists kinds)")
    .option("--images <n>", "how many", parsePositiveInteger, 3)
    .option("--seed <n>", "seed of synthetic pictures", parseInteger, 0)
    .option("--json", "print the changes as JSON");
  withSpec(command.optionsGroup("The model, what it takes and yields:"));
  return withRuntime(command.optionsGroup("How it is computed:"))
    .addHelpText(
      "after",
      `
The new model is a plain ONNX file. A low-pass changes what it says, where maps aliased: train it further with faultline train ("model": FILE).

Examples:
  faultline retrofit resnet50.onnx --down flc --range imagenet --data photos -o resnet50.flc.onnx
  faultline retrofit segformer.onnx --down flc --up lctc-11 --shape pixel_values=1x3x512x512 -o segformer.flc.onnx`,
    )
    .action(async (path: string, flags: RetrofitFlags) => (await import("../actions/retrofit.js")).retrofit(path, flags));
}
