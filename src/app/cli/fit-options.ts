import { type Command, Option } from "commander";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { checkTiling, usualOverlap } from "../../vision/tiling.js";
import type { Fit } from "../attack/prepare.js";
import { parseSize } from "./attack-options.js";
import { UsageError } from "./errors.js";
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

/**
 * The flags as a plan holds them.
 *
 * @throws UsageError, SpecError in one sentence where they do not suit each other or the model.
 */
export function fitOf({ resize, mismatch, tile, overlap }: FitFlags, spec: ModelSpec): Fit {
  if (mismatch !== "tile") {
    if (tile) throw new UsageError("--tile goes with --mismatch tile.");
    if (overlap !== undefined) throw new UsageError("--overlap goes with --mismatch tile.");
    return { ...(resize && { resize }), mismatch };
  }
  if (spec.task === "classification")
    throw new UsageError("--mismatch tile: a class is of the whole image, which tiles cannot give; take pad or resize.");
  const side = tile ?? (spec.size.rule === "fixed" ? spec.size : undefined);
  if (!side) throw new UsageError("the model takes more than one size: say with --tile HEIGHTxWIDTH how large a tile is.");
  const { height, width } = side;
  const tiles = { height, width, overlap: overlap ?? usualOverlap({ height, width }) };
  checkTiling(tiles, spec.size);
  return { ...(resize && { resize }), mismatch, tiles };
}
