import type { Random } from "../../engine/tensor/random.js";

/** A picture as corruptions take and give it: planes of height x width values in [0, 1]; three (RGB), but parts of a corruption may have one. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly planes: readonly Float32Array[];
}

/** From 1, hardly seen, to 5. */
export type Severity = 1 | 2 | 3 | 4 | 5;

export const severities: readonly Severity[] = [1, 2, 3, 4, 5];

/**
 * A common corruption: what happens to pictures in the world, at five strengths. Strengths and formulae are those of ImageNet-C (Hendrycks & Dietterich
 * 2019, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations") as its reference implementation has them, in the form that
 * takes pictures of any size (Michaelis et al. 2019, package imagecorruptions 1.1.2); where a small picture makes the reference fail or darkens its
 * edges, the file of the corruption says what is done instead.
 */
export interface Corruption<S = unknown> {
  /** As ImageNet-C's folders are called: "gaussian_noise". */
  readonly name: string;
  /** The family in ImageNet-C; "extra" are its four validation corruptions, "own" is none of its. */
  readonly family: "noise" | "blur" | "weather" | "digital" | "extra" | "own";
  /** One phrase. */
  readonly summary: string;
  /** What a severity means, from 1 to 5. */
  readonly strengths: readonly [S, S, S, S, S];
  /** Whether it lays other people's pictures over the image (frost), which must be given. */
  readonly overlays?: "pictures";
  /**
   * @param picture values in [0, 1], three planes.
   * @param random drawn from in one order, whatever the picture shows.
   * @param overlays pictures to lay over, where it needs any.
   * @returns a new picture; values may leave [0, 1], and are clipped afterwards.
   */
  apply(picture: Picture, strength: S, random: Random, overlays: readonly Picture[]): Picture;
}

/** Keeps the type of the strengths within the definition. */
export const defineCorruption = <S>(corruption: Corruption<S>): Corruption => corruption as Corruption;

/** A picture of which each value follows from the one before. */
export const mapped = (picture: Picture, value: (v: number) => number): Picture => ({
  ...picture,
  planes: picture.planes.map((plane) => plane.map(value)),
});

/** One plane whose values are drawn row by row. */
export function drawnPlane(height: number, width: number, draw: () => number): Float32Array {
  const plane = new Float32Array(height * width);
  for (let i = 0; i < plane.length; i++) plane[i] = draw();
  return plane;
}

/** Draws for each value of a picture in the order of the reference: pixel by pixel, its colors one after another. */
export function perValue(picture: Picture, value: (v: number) => number): Picture {
  const planes = picture.planes.map((plane) => new Float32Array(plane.length));
  for (let i = 0; i < picture.height * picture.width; i++)
    for (const [c, plane] of picture.planes.entries()) planes[c]![i] = value(plane[i]!);
  return { ...picture, planes };
}

export const clip = (v: number, low = 0, high = 1): number => Math.min(high, Math.max(low, v));
