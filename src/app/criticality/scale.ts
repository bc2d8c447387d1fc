import { constantCriticality } from "../../methods/criticality/constant-prediction.js";
import type { Task } from "../../vision/tasks/index.js";

/** What criticality a lost layer has: the scale on which layers are called critical or idle. */
export interface Scale {
  readonly criticality: number;
  readonly of: keyof typeof scales;
}

/** How a prediction looks of which nothing is left: for a figure's key, and with what the scale says. */
export const scales = {
  constant: {
    key: "the same prediction whatever the image",
    says: "a network that predicts the same whatever it sees has a criticality of at least",
  },
  uniform: {
    key: "all classes equally likely",
    says: "a network that finds all classes equally likely, where the intact one is sure, has a criticality of",
  },
  mean: {
    key: "the prediction's own mean",
    says: "a network whose prediction is its own mean everywhere has, by definition, a criticality of",
  },
} as const;

/** Below this, images are too alike for a constant prediction to show as a loss. */
const alike = 0.05;
/** Less than this is never called critical: a picture without a rare class would make the scale vanish. */
const least = 0.005;

/**
 * The scale of a run over classes. It is that of the constant prediction; a few images of one class are predicted as well by a constant, so there it is
 * that of equally likely classes. (Dense predictions keep the constant: most pixels are background, and a network that finds nothing else is lost.)
 *
 * @param directions sums of `directionSums` over `count` images or pixels.
 */
export function scaleOf(directions: readonly number[], count: number, { extent }: Task): Scale {
  const constant = constantCriticality(directions, count);
  if (extent === "image" && constant < alike) return { criticality: 1 - 1 / Math.sqrt(directions.length), of: "uniform" };
  return { criticality: Math.max(least, constant), of: "constant" };
}

/** By the definition of the normalized change. */
export const continuousScale: Scale = { criticality: 0.5, of: "mean" };

/** What a reader must know of the scale. */
export function scaleNotes({ of, criticality }: Scale): string[] {
  if (of === "uniform")
    return [
      "The intact network predicts nearly the same for all of these images; more varied ones would tell more of its layers.",
    ];
  if (of === "constant" && criticality < alike)
    return [
      "On these images the intact network predicts nearly the same everywhere, so even a lost layer changes little on average; images with more of the rarer classes would tell more.",
    ];
  return [];
}
