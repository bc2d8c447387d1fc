import { type Command, InvalidArgumentError, Option } from "commander";
import { transformNames } from "../../methods/attacks/transforms/names.js";
import { usualSamples } from "../attack/usual.js";
import { withLateFlags } from "./late-flags.js";
import { parseFraction, parsePositiveInteger } from "./model-options.js";

/** Which attack. Beside these the flags hold a text for each of its parameters, by name, which `attackTyped` reads. */
export interface AttackFlags {
  readonly attack: string;
  readonly plugin?: string[];
}

/** What the attacker may change and what counts as wrong, whichever the attack. */
export interface ThreatFlags {
  readonly scale?: number;
  readonly eot?: string;
  readonly eotSamples?: number;
  readonly perturb?: string[];
}

/** Adds --attack and --plugin, and, when the command is the one that was typed, a flag for each parameter of each attack. */
export function withAttack(
  command: Command,
  { help = "which attack", usual }: { readonly help?: string; readonly usual?: string } = {},
): Command {
  const which = new Option("--attack <name>", help);
  command
    .optionsGroup("Attack:")
    .addOption(usual === undefined ? which : which.default(usual))
    .addOption(pluginOption());
  return withLateFlags(command, async (late, args) => (await import("./attack-flags.js")).addAttackFlags(late, args));
}

export const pluginOption = (
  help = "a module of your own with attacks or losses, which --attack and --loss then know; repeatable",
): Option =>
  new Option("--plugin <file.mjs>", help).argParser((path: string, before: readonly string[] = []) => [...before, path]);

/** Adds the flags of the threat. */
export function withThreat(command: Command): Command {
  return command
    .optionsGroup("What may change, and what counts as wrong:")
    .option(
      "--scale <n>",
      "error, in the task's unit, that counts as wrong: residual alignment, SegPGD outside segmentation (default: 1 pixel; 0.05 in restoration; the logarithm of 1.25 in depth)",
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
