import { type Command, InvalidArgumentError, Option } from "commander";
import { type AttackName, attackNames } from "../../methods/attacks/catalogue/names.js";
import { type StepSchedule, stepSchedules } from "../../methods/attacks/step-schedule.js";
import { transformNames } from "../../methods/attacks/transforms/names.js";
import { usualSamples, usualSteps } from "../attack/usual.js";
import { parseFraction, parsePositiveInteger } from "./model-options.js";

export interface AttackFlags {
  readonly attack: AttackName | "ensemble";
  readonly norm: "l_inf" | "l_2" | "l_1";
  readonly epsilon: number;
  readonly stepSize?: number;
  readonly schedule: StepSchedule;
  readonly steps?: number;
  readonly restarts: number;
  readonly randomStart: "published" | "ball";
  readonly grid: "continuous" | "8-bit";
  readonly loss?: string;
  readonly alignment?: string;
  readonly scale?: number;
  readonly eot?: string;
  readonly eotSamples?: number;
  readonly perturb?: string[];
}

/** Adds the flags that say which attack. */
export function withAttack(command: Command): Command {
  return command
    .addOption(
      new Option("--attack <name>", "which attack; ensemble = the worst of several, image by image")
        .choices([...attackNames, "ensemble"])
        .default("cospgd"),
    )
    .addOption(new Option("--norm <name>", "norm of the ball").choices(["l_inf", "l_2", "l_1"]).default("l_inf"))
    .option("--epsilon <radius>", "radius of the ball, images being in [0, 1]; fractions are welcome", parseFraction, 8 / 255)
    .option("--steps <n>", `number of steps (default: ${usualSteps}; fgsm takes 1)`, parsePositiveInteger)
    .option(
      "--step-size <length>",
      "length of a step (default: 0.01 in l_inf, 0.32 epsilon below 8/255; a fifth of epsilon in l_2 and l_1)",
      parseFraction,
    )
    .addOption(
      new Option("--schedule <kind>", "how the step length changes over the steps")
        .choices(Object.keys(stepSchedules))
        .default("constant"),
    )
    .option("--restarts <n>", "random starts of which the best counts", parsePositiveInteger, 1)
    .addOption(
      new Option(
        "--random-start <where>",
        "published = in l_inf anywhere in the ball, in l_2 and l_1 on its surface; ball = anywhere in it, as Foolbox has it",
      )
        .choices(["published", "ball"])
        .default("published"),
    )
    .addOption(
      new Option("--grid <kind>", "keep iterates on the grid of 8-bit images, so that saving changes nothing")
        .choices(["continuous", "8-bit"])
        .default("continuous"),
    )
    .option("--loss <name>", "loss to raise (default: the task's usual one)")
    .option("--alignment <name>", "CosPGD's alignment: softmax (published), sigmoid, residual, columns")
    .option(
      "--scale <n>",
      "error, in the task's unit, that counts as wrong: residual alignment, SegPGD outside segmentation (default: 1 pixel; 0.05 in restoration)",
      positive,
    )
    .option(
      "--eot <transform>",
      `average the gradient over random transforms: ${transformNames.join(", ")}, or an ONNX file (image, noise) -> image`,
    )
    .option("--eot-samples <n>", `transforms per step (default: ${usualSamples})`, parsePositiveInteger)
    .option("--perturb <image...>", "images that may change, where there are two (default: all)");
}

function positive(text: string): number {
  const value = parseFraction(text);
  if (value <= 0) throw new InvalidArgumentError("write a number above 0.");
  return value;
}

/** HEIGHTxWIDTH */
export function parseSize(text: string): { height: number; width: number } {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [height, width] = [Number(match?.[1]), Number(match?.[2])];
  if (!(height > 0 && width > 0)) throw new InvalidArgumentError("write HEIGHTxWIDTH, for example 360x640.");
  return { height, width };
}

/** i/n, counted from 1. */
export function parseShard(text: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || index < 1 || index > count) throw new InvalidArgumentError("write i/n with i from 1 to n, for example 2/4.");
  return { index, count };
}
