import { Command } from "commander";
import { parseSize } from "../attack-options.js";
import { type DataFlags, withData } from "../data-options.js";
import { parsePositiveInteger, type RuntimeFlags, withRuntime } from "../model-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface DoctorFlags extends RuntimeFlags, SpecFlags, DataFlags {
  readonly data: string;
  readonly samples: number;
  readonly resize?: { height: number; width: number };
  readonly json?: true;
}

/** `faultline doctor model.onnx --task segmentation --data DIR` */
export function doctorCommand(): Command {
  return withRuntime(withData(withSpec(new Command("doctor")), "required"))
    .description(
      "Run a model on a few images and say what looks wrong with how it is fed and read; it recommends flags and changes nothing.",
    )
    .argument("<model>", "ONNX file")
    .option("--samples <n>", "samples to look at, spread over the data set", parsePositiveInteger, 8)
    .option("--resize <HxW>", "size to look at (default: that of the first sample)", parseSize)
    .option("--json", "print the findings as JSON")
    .addHelpText("after", "\nExample: faultline doctor deeplab.onnx --task segmentation --data VOC2012 --split val")
    .action(async (path: string, flags: DoctorFlags) => (await import("../actions/doctor.js")).doctor(path, flags));
}
