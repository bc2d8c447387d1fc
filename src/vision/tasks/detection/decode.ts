import type { Tensor } from "../../../engine/tensor/tensor.js";
import type { OutputSpec } from "../task.js";
import { area, type Detection, overlap } from "./boxes.js";
import { headOf } from "./heads/index.js";

/** From this score on a box is shown, counted and taken for what the model says, unless something else is said. */
export const shownFrom = 0.25;

export interface DecodeOptions {
  /** Boxes with a smaller score are left out. */
  readonly least: number;
  /** Boxes of a class that overlap a surer one by more than this are dropped; 1 keeps all. */
  readonly nms: number;
  /** Boxes that are kept of a picture, the surest. */
  readonly most: number;
}

/** As the benchmark counts: every score from 0.001 on, and the 100 surest boxes of a picture. */
export const measured = { least: 0.001, most: 100 } as const;

/** The overlap that suppresses: what the specification says, else the head's usual one. */
export const suppression = (output: OutputSpec | undefined): number => output?.nms ?? headOf(output?.head)?.nms ?? 0.7;

/**
 * What a canonical prediction [4 + K, N] says, surest first: every class of every place whose score reaches `least`, then greedy non-maximum
 * suppression within each class. Of equal scores the lower place comes first, then the lower class. Boxes without area, and scores that are no
 * number, are left out.
 *
 * @example decode(prediction, { least: 0.25, nms: 0.7, most: 100 }) // [{ x1, y1, x2, y2, label, score }, ...]
 */
export function decode(prediction: Tensor, { least, nms, most }: DecodeOptions): Detection[] {
  const [rows, places] = prediction.shape as [number, number];
  const data = prediction.data as Float32Array;
  const leastLogit = Math.log(least / (1 - least));
  const found: { readonly at: number; readonly logit: number }[] = [];
  for (let i = 0; i < places; i++)
    for (let k = 4; k < rows; k++) {
      const logit = data[k * places + i]!;
      if (logit >= leastLogit) found.push({ at: i * rows + k, logit });
    }
  found.sort((a, b) => b.logit - a.logit || a.at - b.at);
  const kept: Detection[] = [];
  for (const { at, logit } of found) {
    if (kept.length === most) break;
    const i = Math.floor(at / rows);
    const [x1, y1, x2, y2] = [0, 1, 2, 3].map((row) => data[row * places + i]!) as [number, number, number, number];
    const one = { x1, y1, x2, y2, label: (at % rows) - 4, score: Math.fround(1 / (1 + Math.exp(-logit))) };
    if (!(area(one) > 0)) continue;
    if (nms < 1 && kept.some((k) => k.label === one.label && overlap(k, one) > nms)) continue;
    kept.push(one);
  }
  return kept;
}

/** What a model says to be in a picture: the boxes that are shown. */
export const shown = (prediction: Tensor, output: OutputSpec | undefined): Detection[] =>
  decode(prediction, { least: shownFrom, nms: suppression(output), most: measured.most });
