import { Command } from "commander";
import { pluginOption } from "../attack-options.js";
import { type ReportFlags, withReport } from "../report-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface TransferFlags extends SpecFlags, ReportFlags {
  readonly plugin?: string[];
}

/** `faultline transfer RUN other.onnx` */
export function transferCommand(): Command {
  const command = new Command("transfer")
    .description("Measure the adversarial images of a finished run on other models; writes the run's summary and report anew.")
    .argument("<run>", "run directory of a finished attack")
    .argument(
      "<model...>",
      "ONNX files of the same task; what they take and yield is said by flags, or in MODEL.spec.json beside each",
    )
    .addOption(pluginOption("where a module of the run's lies now, if it was moved; repeatable"));
  return withReport(withSpec(command.optionsGroup("The models, what they take and yield:")).optionsGroup("The result:")).action(
    async (run: string, models: string[], flags: TransferFlags) =>
      (await import("../actions/transfer.js")).transfer(run, models, flags),
  );
}
