import { Command, Option } from "commander";
import type { Shape } from "../../../engine/tensor/tensor.js";
import { parseShape, type RuntimeFlags, withMemory, withRuntime } from "../model-options.js";

export interface GradFlags extends RuntimeFlags {
  readonly of?: string[];
  readonly wrt?: string[];
  readonly shape?: Record<string, Shape>;
  readonly weights?: true;
  readonly forward?: true;
  readonly probe: "quick" | "random" | "none";
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
    .option("--forward", "forward mode instead: how the outputs move when the inputs do")
    .addOption(
      new Option(
        "--probe <kind>",
        "run the file once on random numbers and say where a gradient is 0 everywhere or not finite: only if that is quick, in any case, or not",
      )
        .choices(["quick", "random", "none"])
        .default("quick"),
    )
    .addOption(
      new Option(
        "--rounding <rule>",
        "derivative of Round and of quantization, which is 0 almost everywhere: zero, or straight-through = 1 where nothing is clipped (default: zero for Round, straight-through for quantization)",
      )
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
The file has the model's own inputs and outputs, an input v.<output> for each differentiated output, of its shape (how much each of its values
counts), and an output d.<input> for each input: the gradient of the sum of v.<output> * <output>. Feed ones to get the gradient of the sum of an output.
With --forward it has an input t.<input> for each input (a direction in which it moves) and an output t.<output> for each output: how fast it moves then.

Examples: faultline grad resnet18.onnx --shape x=1x3x224x224 -o resnet18.grad.onnx
          faultline grad detector.onnx --of /model/head/cls_logits -o logits.grad.onnx`,
    )
    .action(async (path: string, flags: GradFlags) => (await import("../actions/grad.js")).grad(path, flags));
}
