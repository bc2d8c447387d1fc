import type { ModelSpec } from "../../../vision/spec/model-spec.js";
import { tasks } from "../../../vision/tasks/index.js";
import { checkTiling, usualOverlap } from "../../../vision/tiling.js";
import type { Fit } from "../../attack/prepare.js";
import { UsageError } from "../errors.js";
import type { FitFlags } from "../fit-options.js";

/**
 * The flags as a plan holds them.
 *
 * @throws UsageError, SpecError in one sentence where they do not suit each other or the model.
 */
export function fitOf({ resize, shorter, crop, mismatch, tile, overlap }: FitFlags, spec: ModelSpec): Fit {
  if (resize && shorter !== undefined) throw new UsageError("--resize and --shorter both say a size; name one of them.");
  const picture = { ...(resize && { resize }), ...(shorter !== undefined && { shorter }), ...(crop && { crop }) };
  if (mismatch !== "tile") {
    if (tile) throw new UsageError("--tile goes with --mismatch tile.");
    if (overlap !== undefined) throw new UsageError("--overlap goes with --mismatch tile.");
    return { ...picture, mismatch };
  }
  if (tasks[spec.task].extent !== "pixels")
    throw new UsageError("--mismatch tile: a class is of the whole image, which tiles cannot give; take pad or resize.");
  const side = tile ?? (spec.size.rule === "fixed" ? spec.size : undefined);
  if (!side) throw new UsageError("the model takes more than one size: say with --tile HEIGHTxWIDTH how large a tile is.");
  const { height, width } = side;
  const tiles = { height, width, overlap: overlap ?? usualOverlap({ height, width }) };
  checkTiling(tiles, spec.size);
  return { ...picture, mismatch, tiles };
}
