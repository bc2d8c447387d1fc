import type { Value } from "../../../engine/graph/graph.js";
import type { Shape } from "../../../engine/tensor/tensor.js";

/**
 * A random, differentiable change of the images, as a graph: the gradient is averaged over several draws (expectation over transformation,
 * Athalye et al. 2018), so that the result holds for what a camera, a printer or a randomised defence does to it.
 */
export interface Transform {
  readonly name: string;
  /** Draws that are averaged at each step. */
  readonly samples: number;
  /**
   * Where pixels go. What moves them draws once for all images of a sample (a pair moves together), and suits tasks with a target per pixel only
   * while it moves them by less than one; what leaves them in place draws for each image.
   */
  readonly moves: "nothing" | "less than a pixel" | "anything";
  /** Shape of the raw noise, uniform in [-1, 1], that one draw needs, for images [B, C, H, W] of the given shape; its first axis is B. */
  readonly noise: (image: Shape) => Shape;
  /** Numbers that tell one draw from the others, by name; absent where the noise alone does. */
  readonly numbers?: (draw: number) => Readonly<Record<string, number>>;
  /**
   * @param image [B, C, H, W] in [0, 1]. @param noise as `noise` says. @param number scalars by name: those of the draw, and the attack's `epsilon`.
   * @returns images of the same shape.
   */
  readonly apply: (image: Value, noise: Value, number: (name: string) => Value) => Value;
}

/** A built-in transform for a number of draws. */
export type TransformOf = (samples: number) => Transform;
