import { Command, InvalidArgumentError, Option } from "commander";
import { type LayerKind, layerKinds } from "../../../methods/criticality/layer.js";
import { type SchemeName, schemes } from "../../../methods/criticality/resets.js";
import { type DataFlags, withData } from "../data-options.js";
import {
  parseFraction,
  parseInteger,
  parsePositiveInteger,
  parseShard,
  parseSize,
  type RuntimeFlags,
  withQuiet,
  withRuntime,
} from "../model-options.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface CriticalityFlags extends RuntimeFlags, SpecFlags, DataFlags {
  readonly limit?: number;
  readonly shorter?: number;
  readonly crop?: { height: number; width: number };
  readonly resize?: { height: number; width: number };
  readonly mismatch: "pad" | "resize";
  readonly input?: string;
  readonly trials?: number;
  readonly reset?: SchemeName;
  readonly fresh?: string[];
  readonly statistics: "reset" | "kept";
  readonly share: number;
  readonly towards: number;
  readonly layers?: string[];
  readonly kinds: LayerKind[];
  readonly together?: string[];
  readonly batch: number;
  readonly memory: number;
  readonly seed: number;
  readonly shard?: { index: number; count: number };
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** `faultline criticality model.onnx --data DIR` and `faultline criticality compare RUN_A RUN_B` */
export function criticalityCommand(): Command {
  const command = new Command("criticality")
    .description(
      "Which layers the decisions rest on: reset one layer at a time to fresh weights and see how much the predictions change.",
    )
    .argument("<model>", "ONNX file");
  withSpec(command.optionsGroup("The model, what it takes and yields:"));
  withData(command.optionsGroup("The pictures:"))
    .option("--limit <n>", "only n images, a choice that --seed decides", parsePositiveInteger)
    .option("--shorter <n>", "resize the shorter side to n first (ImageNet: 256)", parsePositiveInteger)
    .option("--crop <HxW>", "then take the middle (ImageNet: 224x224)", parseSize)
    .option("--resize <HxW>", "resize to this, whatever the shape", parseSize)
    .addOption(
      new Option("--mismatch <how>", "what to do where a size does not suit the model").choices(["pad", "resize"]).default("pad"),
    )
    .option(
      "--input <file>",
      'images as tensors (.safetensors, .npz) in place of a data set: "images" [N, 3, H, W] in [0, 1] and, if known, "labels"',
    )
    .optionsGroup("What is reset:")
    .option(
      "--trials <n>",
      "how often each layer is reset, each time to other random numbers (default: 3; with --fresh the number of copies)",
      parsePositiveInteger,
    )
    .addOption(new Option("--reset <scheme>", "what layers are reset to (default: framework)").choices(Object.keys(schemes)))
    .option("--fresh <copy...>", "freshly initialized copies of the model, one a trial: .onnx, .safetensors or .pth")
    .addOption(
      new Option("--statistics <what>", "whether batch normalization is reset with its running statistics")
        .choices(["reset", "kept"])
        .default("reset"),
    )
    .option("--share <f>", "reset only this share of a layer's output channels", parseFraction, 1)
    .option("--towards <t>", "go only this far from the trained values (0) to the reset ones (1)", parseFraction, 1)
    .option("--layers <pattern...>", "only layers with these names; patterns may hold *")
    .addOption(
      new Option("--kinds <kinds>", `kinds of layers, with commas: ${layerKinds.join(", ")}`)
        .argParser(parseKinds)
        .default([...layerKinds], "all"),
    )
    .option("--together <what...>", 'reset several layers at once: "stage", or patterns each of which names a group')
    .optionsGroup("The run:")
    .option("--batch <n>", "images at a time, where the model is not fixed to a number", parsePositiveInteger, 16)
    .option(
      "--memory <MiB>",
      "MiB of activations that are kept so that they are not computed anew for each layer",
      parsePositiveInteger,
      1024,
    )
    .option("--seed <n>", "seed of all random numbers", parseInteger, 0)
    .option("--shard <i/n>", "do the i-th of n parts; join them with faultline merge", parseShard)
    .option("--out <dir>", "run directory (default: runs/MODEL-criticality)")
    .option("--json", "print the numbers alone, as JSON; without --out nothing is written");
  withQuiet(command);
  withRuntime(command.optionsGroup("How it is computed:"))
    .addHelpText(
      "after",
      `
The task is classification unless a specification or --task says otherwise. Re-running the same command resumes an interrupted run.

Examples:
  faultline criticality resnet50.onnx --range imagenet --data imagenet/val --shorter 256 --crop 224x224 --limit 1000
  faultline criticality net.onnx --input images.safetensors --fresh copy0.pth copy1.pth copy2.pth --json
  faultline criticality net.onnx --data photos --layers "layer3.*" --together stage
  faultline criticality compare runs/standard runs/robust`,
    )
    .action(async (path: string, flags: CriticalityFlags) =>
      (await import("../actions/criticality.js")).criticality(path, flags),
    );
  return command.addCommand(compareCommand().exitOverride());
}

function compareCommand(): Command {
  return new Command("compare")
    .description("Criticality profiles side by side, with a table by stage.")
    .argument("<run...>", "run directories of faultline criticality")
    .option("--out <dir>", "write comparison.json, comparison.svg and report.html there")
    .option("--json", "print the numbers alone, as JSON")
    .action(async (paths: string[], _: unknown, command: Command) => {
      // flags that criticality itself has too are taken by it, wherever they stand
      await import("../actions/criticality.js").then(({ compare }) => compare(paths, command.optsWithGlobals()));
    });
}

function parseKinds(text: string): LayerKind[] {
  const kinds = text.split(",").map((k) => k.trim());
  const unknown = kinds.find((k) => !(layerKinds as readonly string[]).includes(k));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`"${unknown}" is no kind of layer; choose of ${layerKinds.join(", ")}.`);
  return kinds as LayerKind[];
}
