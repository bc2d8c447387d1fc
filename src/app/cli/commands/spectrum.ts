import { Command } from "commander";
import type { Shape } from "../../../engine/tensor/tensor.js";
import { type AttackFlags, withAttack } from "../attack-options.js";
import { parseInteger, parsePositiveInteger, parseShape, type RuntimeFlags, withQuiet, withRuntime } from "../model-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface SpectrumFlags extends RuntimeFlags, SpecFlags, Partial<AttackFlags> {
  readonly shape?: Record<string, Shape>;
  readonly data?: string;
  readonly corruption?: string;
  readonly images: number;
  readonly seed: number;
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** `faultline spectrum model.onnx --data DIR` and `faultline spectrum compare RUN_A RUN_B` */
export function spectrumCommand(): Command {
  const command = new Command("spectrum")
    .description(
      "Measure where a model's maps alias (what a strided layer samples but cannot hold) and where its enlargements leave a grid, on a few pictures; with --attack also the spectra of what an attack adds and changes.",
    )
    .argument("[model]", "ONNX file")
    .optionsGroup("The pictures:")
    .option("--data <dir>", "pictures to look at (default: synthetic ones)")
    .option("--corruption <kind:severity>", "do this to the pictures first: fog:3 (faultline corrupt --help lists kinds)")
    .option("--images <n>", "how many", parsePositiveInteger, 8)
    .option("--seed <n>", "seed of synthetic pictures", parseInteger, 0)
    .option(
      "--shape <name=1x3x224x224>",
      "size to look at, where the model takes any: the shape of an input; repeatable",
      parseShape,
    )
    .optionsGroup("The result:")
    .option("--out <dir>", "where to write report.html and spectrum.json (default: runs/MODEL-spectrum)")
    .option("--json", "print the numbers as JSON, and write only where --out says");
  withQuiet(command);
  withSpec(command.optionsGroup("The model, what it takes and yields:"));
  withAttack(command, {
    help: "also the spectra of this attack's perturbation and of what the model says under it; needs --task",
  })
    .optionsGroup("How it is computed:")
    .addHelpText(
      "after",
      `
Examples:
  faultline spectrum resnet50.onnx --range imagenet --data photos
  faultline spectrum deblur.onnx --task restoration --data blurred --attack pgd
  faultline spectrum compare runs/resnet50-spectrum runs/resnet50.flc-spectrum`,
    )
    .action(async (path: string | undefined, flags: SpectrumFlags) =>
      (await import("../actions/spectrum.js")).spectrum(path, flags),
    );
  return withRuntime(command).addCommand(
    new Command("compare")
      .description("Two or more models side by side, layer by layer, from their runs.")
      .argument("<run...>", "run directories of faultline spectrum, or their spectrum.json files")
      .option("--out <dir>", "write comparison.json and report.html there")
      .option("--json", "print the numbers alone, as JSON")
      .action(async (runs: string[], _: unknown, own: Command) =>
        (await import("../actions/spectrum.js")).compare(runs, own.optsWithGlobals()),
      )
      .exitOverride(),
  );
}
