import { Command, InvalidArgumentError, Option } from "commander";
import { type LayoutName, layoutNames } from "../../../methods/sensor/layouts/names.js";
import { parseInteger, parsePositiveInteger, type RuntimeFlags, withQuiet, withRuntime } from "../model-options.js";

export interface SensorTrainFlags extends RuntimeFlags {
  readonly out?: string;
  readonly quiet?: true;
}

export interface SensorSimulateFlags extends RuntimeFlags {
  readonly layout: readonly [LayoutName, ...LayoutName[]];
  readonly theta?: readonly number[];
  readonly size: readonly [height: number, width: number];
  readonly samples?: number;
  readonly seed?: number;
  readonly exact?: true;
  readonly out?: string;
}

/** `faultline sensor train config.json`, `faultline sensor simulate image.png` */
export function sensorCommand(): Command {
  return new Command("sensor")
    .description("Sensors whose pixel layout is learned with the network behind them.")
    .addCommand(trainCommand().exitOverride())
    .addCommand(simulateCommand().exitOverride());
}

function trainCommand(): Command {
  return withQuiet(withRuntime(new Command("train")))
    .description("Learn a sensor's layout together with the network behind it, and compare with the uniform sensor.")
    .argument("<config>", "JSON file as for faultline train, with sensor and evaluation (docs/sensor.md)")
    .option("--out <dir>", "run directory (default: runs/CONFIG)")
    .addHelpText(
      "after",
      `
Trains twice: with the layout, and with a uniform sensor of as many pixels. Writes grid.svg, course.webp, score.svg, theta.svg and report.html,
and learned/pipeline.onnx and uniform/pipeline.onnx, each the whole way from the image to the prediction. Ctrl-C writes a checkpoint; the same
command goes on from there, and the result has the bits of an unbroken run.

Example config.json:
  { "task": "segmentation", "sensor": { "layout": "rectangular", "height": 16, "width": 32, "learningRate": 0.02 },
    "network": { "family": "unet", "width": 8, "levels": 2, "outputChannels": 8, "normalization": "batch", "output": "plain" },
    "data": { "kind": "streets", "height": 64, "width": 128, "length": 240, "seed": 1 }, "batch": 4, "steps": 300,
    "optimizer": { "name": "adamw", "learningRate": 0.005, "weightDecay": 0 }, "schedule": { "kind": "cosine" },
    "evaluation": { "data": { "kind": "streets", "height": 64, "width": 128, "length": 64, "seed": 2 }, "every": 60 } }`,
    )
    .action(async (path: string, flags: SensorTrainFlags) => (await import("../actions/sensor.js")).sensorTrain(path, flags));
}

function simulateCommand(): Command {
  return withRuntime(new Command("simulate"))
    .description("What a sensor sees of a picture, and its reconstruction on the picture's grid.")
    .argument("<image>", "picture file")
    .requiredOption("--layout <names>", `${layoutNames.join(", ")}; several, with commas, act one after the other`, parseLayouts)
    .option("--theta <numbers>", "the layout's parameters, with commas (default: 0 each, the uniform layout)", parseNumbers)
    .requiredOption("--size <HxW>", "the sensor's height and width in pixels, for example 64x128", parseSize)
    .addOption(
      new Option("--samples <n>", "jittered samples per pixel (default: 16)").argParser(parsePositiveInteger).conflicts("exact"),
    )
    .addOption(new Option("--seed <n>", "of the samples (default: 0)").argParser(parseInteger).conflicts("exact"))
    .option("--exact", "the exact integral; for layouts whose pixels are upright rectangles")
    .option("--out <dir>", "folder for the pictures (default: runs/sensor-IMAGE)")
    .addHelpText("after", "\nExample: faultline sensor simulate street.png --layout rectangular --theta 0.3,-0.2 --size 64x128")
    .action(async (path: string, flags: SensorSimulateFlags) =>
      (await import("../actions/sensor.js")).sensorSimulate(path, flags),
    );
}

function parseLayouts(text: string): LayoutName[] {
  return text.split(",").map((name) => {
    const found = layoutNames.find((known) => known === name.trim());
    if (!found) throw new InvalidArgumentError(`there is no layout "${name.trim()}"; choose among ${layoutNames.join(", ")}.`);
    return found;
  });
}

function parseNumbers(text: string): number[] {
  const numbers = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!numbers.every(Number.isFinite)) throw new InvalidArgumentError("write numbers with commas between, for example 0.3,-0.2.");
  return numbers;
}

function parseSize(text: string): [number, number] {
  const [, height, width] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (!(Number(height) > 0 && Number(width) > 0)) throw new InvalidArgumentError("write height and width in pixels as 64x128.");
  return [Number(height), Number(width)];
}
