import type { Value } from "../../graph/graph.js";
import { hardSigmoid } from "../../operators/activation/hard-sigmoid.js";

/** Steep enough to make a step of the smallest difference between numbers of ordinary size, and a power of two, hence exact. */
const slope = 2 ** 100;

/** Bounds at which the step is steep enough. */
export const canStep = (bound: number | undefined): bound is number => bound !== undefined && Math.abs(bound) < 2 ** 27;

/** 1 where x ≥ bound, 0 from the next float32 below on (2⁻⁷⁶ about 0). */
export const stepUp = (x: Value, bound: number): Value => hardSigmoid(x, slope, nextUp(-bound) * slope);

/** 1 where x ≤ bound, 0 from the next float32 above on (2⁻⁷⁶ about 0). */
export const stepDown = (x: Value, bound: number): Value => hardSigmoid(x, -slope, nextUp(bound) * slope);

/** 1 where x > bound, from the next float32 on (the smallest normal one above 0), 0 at the bound. */
export const stepAbove = (x: Value, bound: number): Value => hardSigmoid(x, steepness(bound), -bound * steepness(bound));

/** 1 where x < bound, from the next float32 on (the largest normal one below 0), 0 at the bound. */
export const stepBelow = (x: Value, bound: number): Value => hardSigmoid(x, -steepness(bound), bound * steepness(bound));

/** At 0 no product of bound and slope can overflow, so the step may be 1 for every normal number. */
const steepness = (bound: number) => (bound === 0 ? 2 ** 126 : slope);

/** The next float32; about 0 the next that the step can tell apart. */
export function nextUp(x: number): number {
  if (Math.abs(x) < 2 ** -76) return 2 ** -76;
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, x);
  bits.setInt32(0, bits.getInt32(0) + (x > 0 ? 1 : -1));
  return bits.getFloat32(0);
}
