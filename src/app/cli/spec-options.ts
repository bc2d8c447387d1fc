import { type Command, InvalidArgumentError, Option } from "commander";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { parseSizeRule } from "../../vision/spec/size-rule.js";
import { taskNames } from "../../vision/tasks/names.js";
import { commaWords, pointsMeant } from "./comma.js";
import { parseFraction, parseInteger } from "./model-options.js";

export interface SpecFlags {
  readonly spec?: string;
  readonly task?: ModelSpec["task"];
  readonly range?: "0..1" | "0..255" | "-1..1" | "imagenet";
  readonly mean?: number[];
  readonly std?: number[];
  readonly channels?: ModelSpec["channels"];
  readonly layout?: ModelSpec["layout"];
  readonly sizeRule?: ModelSpec["size"];
  readonly meaning?: ModelSpec["output"]["meaning"];
  readonly outputName?: string | string[];
  readonly outputLayout?: ModelSpec["layout"];
  readonly outputRange?: "0..1" | "0..255" | "-1..1";
  readonly outputChannels?: "rgb" | "bgr";
  readonly outputScale?: number;
  readonly outputAlign?: "none" | "median" | "least-squares";
  readonly outputHead?: NonNullable<ModelSpec["output"]["head"]>;
  readonly outputBoxes?: NonNullable<ModelSpec["output"]["boxes"]>;
  readonly outputNms?: number;
  readonly ignore?: number[];
  readonly labelOffset?: number;
}

/** Adds the flags that say what a model expects and yields. */
export function withSpec(command: Command): Command {
  return command
    .option(
      "--spec <file>",
      "JSON file that says what the model expects (default: MODEL.spec.json beside the model, where there is one)",
    )
    .addOption(new Option("--task <name>", "kind of prediction").choices(taskNames))
    .addOption(
      new Option("--range <name>", "values the model takes; imagenet = the usual mean and deviation").choices([
        "0..1",
        "0..255",
        "-1..1",
        "imagenet",
      ]),
    )
    .option("--mean <r,g,b>", "mean that is subtracted, in [0, 1] units and the model's channel order", decimals)
    .option("--std <r,g,b>", "deviation that is divided by", decimals)
    .addOption(new Option("--channels <order>", "channel order of the model's input").choices(["rgb", "bgr", "gray"]))
    .addOption(new Option("--layout <order>", "axes of the model's input").choices(["nchw", "nhwc"]))
    .option("--size-rule <rule>", "sizes the model takes: any, multiple:32, or fixed:HEIGHTxWIDTH", sizeRule)
    .option(
      "--meaning <what>",
      "what the output's numbers are; classes: logits, probabilities, binary-logits, binary-probabilities; depth: depth, inverse-depth",
    )
    .addOption(new Option("--output-layout <order>", "axes of the model's output").choices(["nchw", "nhwc"]))
    .addOption(
      new Option("--output-range <name>", "restoration: range of the restored image").choices(["0..1", "0..255", "-1..1"]),
    )
    .addOption(
      new Option("--output-channels <order>", "restoration: channel order of the restored image").choices(["rgb", "bgr", "gray"]),
    )
    .option(
      "--of, --output-name <value>",
      "the prediction: which output, or an inner value by its name in the file (logits before ArgMax, TopK or non-maximum suppression); the model is cut there; several with commas between (a detector's boxes,scores)",
      (text) => (text.includes(",") ? text.split(",").map((name) => name.trim()) : text),
    )
    .option(
      "--output-scale <n>",
      "flow, disparity: pixels per unit of output (negative flips the sign); depth: meters (or 1/meters)",
      parseFraction,
    )
    .addOption(
      new Option(
        "--output-align <how>",
        "depth of unknown scale: laid on the truth before it is measured, by medians, or by scale and shift",
      ).choices(["none", "median", "least-squares"]),
    )
    .option("--output-head <name>", "detection: how the outputs are laid out: yolov8, yolov5, ssd, retinanet, detr, rt-detr")
    .option(
      "--output-boxes <form>",
      "detection: what the four numbers of a box are: cxcywh, xyxy, cxcywh-normalized, xyxy-normalized",
    )
    .option(
      "--output-nms <overlap>",
      "detection: boxes that overlap a surer one of their class by more are dropped; 1 keeps all",
      parseFraction,
    )
    .option(
      "--ignore <labels>",
      "labels without ground truth, all of them (default: 255,-1 in segmentation, and the data set's own)",
      numbers,
    )
    .option("--label-offset <n>", "added to the data set's labels", parseInteger);
}

function numbers(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (values.some(Number.isNaN))
    throw new InvalidArgumentError("write numbers with commas between, for example 0.485,0.456,0.406.");
  return values;
}

function decimals(text: string): number[] {
  const meant = pointsMeant(text);
  if (meant !== undefined) throw new InvalidArgumentError(`${commaWords(text, meant)}.`);
  return numbers(text);
}

function sizeRule(text: string): ModelSpec["size"] {
  const rule = parseSizeRule(text);
  if (!rule) throw new InvalidArgumentError("write any, multiple:32 or fixed:480x640 (height x width).");
  return rule;
}
