import { type Command, Option } from "commander";
import { type LayoutName, layoutNames } from "../../vision/data/node/layout-names.js";

export interface DataFlags {
  readonly data?: string;
  readonly format?: LayoutName;
  readonly split?: string;
  readonly variant?: string;
  readonly corruption?: string;
}

/** Adds --data, --format, --split, --variant and --corruption (which a suite says itself). */
export function withData(
  command: Command,
  presence: "required" | "optional" = "optional",
  corruption: "with corruption" | "without corruption" = "with corruption",
): Command {
  command
    .addOption(
      new Option(
        "--data <what>",
        "data set (a folder, a .parquet or a .tar), or a folder of images; synthetic = scenes that are made; or the JSON file of a training, for its scenes",
      ).makeOptionMandatory(presence === "required"),
    )
    .addOption(new Option("--format <layout>", "layout of the data set (default: recognized)").choices(layoutNames))
    .option("--split <name>", "part of the data set, for example val")
    .option(
      "--variant <name>",
      "variant of the data set, for example clean or final (Sintel); in a .parquet or .tar, what is the truth",
    );
  if (corruption === "without corruption") return command;
  return command.option(
    "--corruption <kind:severity>",
    "do this to the images as they are read: fog:3 (faultline corrupt --help lists kinds)",
  );
}
