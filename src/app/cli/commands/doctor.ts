import { Command } from "commander";
import { type DataFlags, withData } from "../data-options.js";
import { type FitFlags, withFit } from "../fit-options.js";
import { parsePositiveInteger, type RuntimeFlags, withRuntime } from "../model-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface DoctorFlags extends RuntimeFlags, SpecFlags, DataFlags, FitFlags {
  readonly data: string;
  readonly samples: number;
  readonly write?: true;
  readonly json?: true;
}

/** `faultline doctor model.onnx --task segmentation --data DIR` */
export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description("Run a model on a few images and say what looks wrong with how it is fed and read; it recommends flags.")
    .argument("<model>", "ONNX file");
  withSpec(command.optionsGroup("The model, what it takes and yields:"));
  withFit(withData(command.optionsGroup("The pictures:"), "required"))
    .option("--samples <n>", "samples to look at, spread over the data set", parsePositiveInteger, 8)
    .optionsGroup("The result:")
    .option("--write", "write what was said and found to MODEL.spec.json beside the model (or to --spec), for all other commands")
    .option("--json", "print the findings as JSON");
  return withRuntime(command.optionsGroup("How it is computed:"))
    .addHelpText(
      "after",
      "\nThe exit code is 1 where something is WRONG.\n\nExample: faultline doctor deeplab.onnx --task segmentation --data VOC2012 --split val --write",
    )
    .action(async (path: string, flags: DoctorFlags) => (await import("../actions/doctor.js")).doctor(path, flags));
}
