import { Command, Option } from "commander";
import type { Shape } from "../../../engine/tensor/tensor.js";
import { parseShape, type RuntimeFlags, withMemory, withRuntime } from "../model-options.js";

export interface GradFlags extends RuntimeFlags {
  readonly of?: string[];
  readonly wrt?: string[];
  readonly shape?: Record<string, Shape>;
  readonly weights?: true;
  readonly rounding: "default" | "zero" | "straight-through";
  readonly rewrites: "provider" | "none";
  readonly memory?: number;
  readonly externalData?: true;
  readonly output: string;
}

/** `faultline grad model.onnx -o model.grad.onnx` */
export function gradCommand(): Command {
  return withRuntime(withMemory(new Command("grad")))
    .description("Write the gradient of a model as a plain ONNX file that any ONNX Runtime loads.")
    .argument("<model>", "ONNX file")
    .requiredOption("-o, --output <file>", "where to write the gradient model")
    .option(
      "--of <output...>",
      "values to differentiate, inner ones too, by their names in the file: the model is cut there (default: its outputs)",
    )
    .option("--wrt <input...>", "inputs or initializers to differentiate by (default: all float inputs)")
    .option("--shape <name=1x3x224x224>", "shape of an input with dynamic axes; repeatable", parseShape)
    .option("--weights", "also the gradients of all weights, d.<initializer>")
    .addOption(
      new Option("--rounding <rule>", "derivative of Round and of quantisation")
        .choices(["default", "zero", "straight-through"])
        .default("default"),
    )
    .addOption(
      new Option("--rewrites <kind>", "rewrites that make the graph fast on --provider, or none")
        .choices(["provider", "none"])
        .default("provider"),
    )
    .option("--external-data", "put the weights beside the file, FILE.data (by itself where they are more than 2 GB)")
    .addHelpText(
      "after",
      `
The file has the model's own inputs and outputs, one cotangent input v.<output> for each differentiated output, and one gradient output
d.<input> for each input: the gradient of the sum of v.<output> * <output>. Feed ones to get the gradient of the sum of an output.

Example: faultline grad resnet18.onnx --shape x=1x3x224x224 -o resnet18.grad.onnx`,
    )
    .action(async (path: string, flags: GradFlags) => (await import("../actions/grad.js")).grad(path, flags));
}
