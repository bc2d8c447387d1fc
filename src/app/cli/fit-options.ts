import { type Command, Option } from "commander";
import type { Fit } from "../attack/prepare.js";
import { parseInteger, parsePositiveInteger, parseSize } from "./model-options.js";

export interface FitFlags {
  readonly resize?: { readonly height: number; readonly width: number };
  readonly shorter?: number;
  readonly crop?: { readonly height: number; readonly width: number };
  readonly mismatch: Fit["mismatch"];
  readonly tile?: { readonly height: number; readonly width: number };
  readonly overlap?: number;
}

/** Adds --resize, --mismatch, --tile and --overlap. */
export function withFit(command: Command): Command {
  return command
    .option("--resize <HxW>", "resize pictures first, whatever their shape", parseSize)
    .option("--shorter <n>", "bring the shorter side to n pixels first, the shape kept (ImageNet: 256)", parsePositiveInteger)
    .option("--crop <HxW>", "then keep the middle of this size (ImageNet: 224x224)", parseSize)
    .addOption(
      new Option(
        "--mismatch <how>",
        "where a size does not suit the model: pad = mirror at the edges (detection: surround with gray), scaled first if need be, the shape kept; resize = stretch; tile = predict in overlapping tiles",
      )
        .choices(["pad", "resize", "tile"])
        .default("pad"),
    )
    .option("--tile <HxW>", "for --mismatch tile: size of a tile (default: the size that the model takes)", parseSize)
    .option("--overlap <n>", "for --mismatch tile: pixels that neighbors share (default: a quarter of a tile)", parseInteger);
}
