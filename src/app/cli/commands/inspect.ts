import { Command } from "commander";
import type { Shape } from "../../../engine/tensor/tensor.js";
import { parseShape, type RuntimeFlags, withRuntime } from "../model-options.js";

export interface InspectFlags extends RuntimeFlags {
  readonly of?: string[];
  readonly shape?: Record<string, Shape>;
  readonly json?: true;
}

/** `faultline inspect model.onnx` */
export function inspectCommand(): Command {
  return withRuntime(new Command("inspect"))
    .description("What a model is made of and costs, and where gradients can pass.")
    .argument("<model>", "ONNX file")
    .option("--shape <name=1x3x224x224>", "shape of an input with dynamic axes; repeatable", parseShape)
    .option("--of <value...>", "only what these values need, inner ones too, by their names in the file: the model is cut there")
    .option("--json", "print the numbers as JSON")
    .addHelpText("after", "\nExample: faultline inspect detector.onnx --shape x=1x3x640x640")
    .action(async (path: string, flags: InspectFlags) => (await import("../actions/inspect.js")).inspect(path, flags));
}
