import { type Command, Option } from "commander";
import type { Fit } from "../attack/prepare.js";
import { parseSize } from "./attack-options.js";
import { parseInteger } from "./model-options.js";

export interface FitFlags {
  readonly resize?: { readonly height: number; readonly width: number };
  readonly mismatch: Fit["mismatch"];
  readonly tile?: { readonly height: number; readonly width: number };
  readonly overlap?: number;
}

/** Adds --resize, --mismatch, --tile and --overlap. */
export function withFit(command: Command): Command {
  return command
    .option("--resize <HxW>", "resize images first", parseSize)
    .addOption(
      new Option(
        "--mismatch <how>",
        "what to do where a size does not suit the model; tile = predict images in overlapping tiles",
      )
        .choices(["pad", "resize", "tile"])
        .default("pad"),
    )
    .option("--tile <HxW>", "for --mismatch tile: size of a tile (default: the size that the model takes)", parseSize)
    .option("--overlap <n>", "for --mismatch tile: pixels that neighbours share (default: a quarter of a tile)", parseInteger);
}
