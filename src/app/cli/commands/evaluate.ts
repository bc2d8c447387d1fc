import { Command } from "commander";
import { suites } from "../../evaluate/suites.js";
import { pluginOption } from "../attack-options.js";
import { type DataFlags, withData } from "../data-options.js";
import { type FitFlags, withFit } from "../fit-options.js";
import { allowFailed, parseInteger, parsePositiveInteger, type RuntimeFlags, withMemory, withRuntime } from "../model-options.js";
import { type BoundFlags, withBounds } from "../report-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface EvaluateFlags extends RuntimeFlags, BoundFlags, SpecFlags, Omit<DataFlags, "corruption">, FitFlags {
  readonly suite?: string;
  readonly printSuite?: string;
  readonly frost?: string;
  readonly transferFrom?: string[];
  readonly plugin?: string[];
  readonly memory?: number;
  readonly limit?: number;
  readonly batch: number;
  readonly seed: number;
  readonly workers?: number;
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly allowAudit?: true;
  readonly allowFailed?: true;
}

/** `faultline evaluate model.onnx --suite dense-v1 --data DIR` */
export function evaluateCommand(): Command {
  const command = new Command("evaluate")
    .description(
      "Put a model through a suite: clean, attacks at the settings of the literature, common corruptions; a table and a card.",
    )
    .argument("[model]", "ONNX file")
    .option("--suite <name>", `${Object.keys(suites).join(", ")}, or a file like those that --print-suite prints`)
    .option("--print-suite <name>", "print a suite as JSON, to be changed and given to --suite")
    .option(
      "--frost <dir>",
      "photographs of frost, for suites with that corruption; without them procedural_frost takes its place",
    );
  command.option(
    "--transfer-from <run>",
    "measure the adversarial images of a finished run on another model too (transfer); repeatable",
    (run: string, before: string[] = []) => [...before, run],
  );
  command.addOption(pluginOption("a module of your own with attacks, for suites that name them; repeatable"));
  withSpec(command.optionsGroup("The model, what it takes and yields:"));
  withFit(withData(command.optionsGroup("The pictures:"), "optional", "without corruption")).option(
    "--limit <n>",
    "only n samples, a choice that --seed decides",
    parsePositiveInteger,
  );
  command
    .optionsGroup("The run:")
    .option("--batch <n>", "images per step", parsePositiveInteger, 1)
    .option("--seed <n>", "seed of all random numbers", parseInteger, 0)
    .option(
      "--workers <n>",
      "run so many of the suite's runs at a time, each in a process of its own, with one thread where --threads says nothing else",
      parsePositiveInteger,
    )
    .option("--out <dir>", "where everything is written (default: runs/MODEL-SUITE-SETTINGS)")
    .option("--json", "print the card as JSON on standard output, and nothing else there")
    .option("--quiet", "print errors alone")
    .option("--allow-audit", "exit code 0 even where an audit fails")
    .addOption(allowFailed());
  withBounds(command);
  return withRuntime(withMemory(command.optionsGroup("How it is computed:")))
    .addHelpText(
      "after",
      `
Suites:
${Object.values(suites)
  .map(({ name, source }) => `  ${name.padEnd(24)} ${source ?? ""}`)
  .join("\n")}

Every run of a suite is a run directory of its own within --out, with its report; what is finished is not done again when the command is repeated.
Exit codes: 0 done; 1 a run or an audit failed; 2 a run misses a bound of --fail-under or --fail-over; 3 samples failed; 130 stopped by Ctrl-C.

Examples: faultline evaluate deeplab.onnx --suite dense-v1 --task segmentation --range imagenet --data VOC2012 --limit 100
          faultline evaluate resnet50.onnx --suite classification-v1 --data photos --transfer-from runs/resnet18-pgd-1a2b3c4d
          faultline evaluate --print-suite dense-v1 > mine.json`,
    )
    .action(async (path: string | undefined, flags: EvaluateFlags) => {
      process.exitCode = await (await import("../actions/evaluate.js")).evaluate(path, flags);
    });
}
