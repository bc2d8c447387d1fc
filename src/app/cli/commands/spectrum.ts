import { Command } from "commander";
import type { Shape } from "../../../engine/tensor/tensor.js";
import { type AttackFlags, withAttack } from "../attack-options.js";
import { parseInteger, parsePositiveInteger, parseShape, type RuntimeFlags, withRuntime } from "../model-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface SpectrumFlags extends RuntimeFlags, SpecFlags, Partial<AttackFlags> {
  readonly shape?: Record<string, Shape>;
  readonly data?: string;
  readonly corruption?: string;
  readonly images: number;
  readonly seed: number;
  readonly out?: string;
  readonly json?: true;
}

/** `faultline spectrum model.onnx --data DIR` and `faultline spectrum compare RUN_A RUN_B` */
export function spectrumCommand(): Command {
  const command = withSpec(new Command("spectrum"))
    .description("Where a model's maps alias, where its enlargements leave patterns, and the spectra of attacks and predictions.")
    .argument("[model]", "ONNX file")
    .option("--shape <name=1x3x224x224>", "shape of an input with dynamic axes; repeatable", parseShape)
    .option("--data <dir>", "pictures to look at (default: synthetic ones)")
    .option("--corruption <kind:severity>", "do this to the pictures first: fog:3 (faultline corrupt --help lists kinds)")
    .option("--images <n>", "how many", parsePositiveInteger, 8)
    .option("--seed <n>", "seed of synthetic pictures", parseInteger, 0)
    .option("--out <dir>", "where to write report.html and spectrum.json (default: runs/MODEL-spectrum)")
    .option("--json", "print the numbers as JSON, and write only where --out says");
  withRuntime(command);
  withAttack(command, {
    help: "also the spectra of this attack's perturbation and of what the model says under it; needs --task",
  })
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
  return command.addCommand(
    new Command("compare")
      .description("Two or more models side by side, from their runs.")
      .argument("<runs...>", "run directories, or spectrum.json files")
      .option("--out <file>", "where to write the page", "runs/spectra.html")
      .action(async (runs: string[], _: unknown, own: Command) =>
        (await import("../actions/spectrum.js")).compare(runs, own.optsWithGlobals()),
      )
      .exitOverride(),
  );
}
