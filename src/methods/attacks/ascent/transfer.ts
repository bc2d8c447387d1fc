import { inputDiversity } from "../transforms/input-diversity.js";
import { scaledCopies } from "../transforms/scaled-copies.js";
import type { Transform } from "../transforms/transform.js";
import type { DescentRule } from "./ascent.js";
import { momentum } from "./descent/momentum.js";
import { nesterov } from "./descent/nesterov.js";
import { type KernelName, smoothed } from "./descent/smoothed.js";
import { varianceTuned } from "./descent/variance-tuned.js";
import type { AscentChoice } from "./projected-ascent.js";

/** The parameters of `transfer-parameters.ts`, those that an attack has. */
export interface TransferParameters {
  readonly inputDiversity?: number | undefined;
  readonly resizeRate?: number | undefined;
  readonly translation?: number | undefined;
  readonly kernel?: KernelName | undefined;
  readonly scales?: number | undefined;
  readonly variance?: number | undefined;
  readonly neighborhood?: number | undefined;
}

export interface MomentumParameters extends TransferParameters {
  readonly decay?: number | undefined;
  readonly nesterov?: "off" | "released" | "published" | undefined;
}

/** A descent rule with those of the parts that are asked for: copies of the image, each looked at in its own way, neighbors, a kernel. */
export function transferring(
  { inputDiversity: probability = 0, resizeRate, translation = 1, kernel = "gaussian", scales = 1, ...more }: TransferParameters,
  descent: DescentRule,
): AscentChoice {
  const { variance = 0, neighborhood = 1.5 } = more;
  const views: Transform[] = [
    ...(scales > 1 ? [scaledCopies(scales)] : []),
    ...(probability > 0 ? [inputDiversity(probability, resizeRate)] : []),
  ];
  const tuned = variance > 0 ? varianceTuned(descent, variance, neighborhood) : descent;
  return { views, descent: translation > 1 ? smoothed(tuned, translation, kernel) : tuned };
}

/** The same of a momentum. */
export const momentumTransferring = ({ decay = 1, nesterov: ahead = "off", ...parts }: MomentumParameters): AscentChoice =>
  transferring(parts, ahead === "off" ? momentum(decay) : nesterov(decay, ahead === "released" ? "mean" : "sum"));
