import { type Command, Option } from "commander";
import type { Dataset } from "../../vision/data/dataset.js";
import { type LayoutName, layouts, type OpenOptions, openDataset } from "../../vision/data/node/open.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";

export interface DataFlags {
  readonly data?: string;
  readonly format?: LayoutName;
  readonly split?: string;
  readonly variant?: string;
}

/** Adds --data, --format, --split and --variant. */
export function withData(command: Command, presence: "required" | "optional" = "optional"): Command {
  return command
    .addOption(new Option("--data <dir>", "data set, or a folder of images").makeOptionMandatory(presence === "required"))
    .addOption(new Option("--format <layout>", "layout of the data set (default: recognised)").choices(Object.keys(layouts)))
    .option("--split <name>", "part of the data set, for example val")
    .option("--variant <name>", "variant of the data set, for example clean or final (Sintel)");
}

/** The flags that say how a data set is read, as a plan keeps them. */
export function dataOptions({ format, split, variant }: DataFlags): Omit<OpenOptions, "task"> {
  return { ...(format && { format }), ...(split && { split }), ...(variant && { variant }) };
}

/** Opens the data set; its own ignored label joins those of the specification. */
export async function openFlagged<S extends ModelSpec>(
  root: string,
  spec: S,
  flags: DataFlags,
): Promise<{ readonly dataset: Dataset; readonly spec: S }> {
  const dataset = await openDataset(root, { task: spec.task, ...dataOptions(flags) });
  if (dataset.task !== "segmentation") return { dataset, spec };
  return { dataset, spec: { ...spec, ignore: [...new Set([...spec.ignore, dataset.ignoreLabel])] } };
}
