import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { NormName } from "../../methods/attacks/attack.js";
import { lengths } from "../../methods/attacks/lengths.js";

/** Sizes of a perturbation of one image, in [0, 1] units; in l_0 the number of color values that changed. */
export type PerturbationSize = Readonly<Record<NormName, number>>;

export function perturbationSize(adversarial: Tensor, clean: Tensor): PerturbationSize {
  const [a, c] = [adversarial.data as Float32Array, clean.data as Float32Array];
  const delta = Float64Array.from(a, (v, i) => v - c[i]!);
  return { l_inf: lengths.l_inf(delta), l_2: lengths.l_2(delta), l_1: lengths.l_1(delta), l_0: lengths.l_0(delta) };
}

/** Where a norm is (a root of) a sum over the pixels: what a pixel that changes by so many levels adds to it. */
const levelCost: Readonly<Partial<Record<NormName, (levels: number) => number>>> = { l_2: (k) => k * k, l_1: (k) => k };

/**
 * The adversarial image as an 8-bit file can hold it, still inside the ball around the clean one, which must itself be on the 8-bit grid.
 *
 * l_inf: every value at the nearest level of those inside. l_0: at the nearest level at all, which changes no further value. l_2 and l_1: every value at the level next to it on the clean side, then those nearest to
 * the next level there, as long as the perturbation gets no larger than it was. (`nearestLevels` does the same within an attack.)
 */
export function saveable(
  adversarial: Tensor<"float32">,
  clean: Tensor<"float32">,
  norm: NormName,
  epsilon: number,
): Tensor<"float32"> {
  const base = Int32Array.from(clean.data, (v) => Math.min(255, Math.max(0, Math.round(v * 255))));
  const change = Float64Array.from(adversarial.data, (v, i) => v * 255 - base[i]!);
  const cost = levelCost[norm];
  const radius = norm === "l_inf" ? Math.floor(epsilon * 255 + 1e-6) : Number.POSITIVE_INFINITY;
  const whole = cost ? filled(change.map(Math.abs), cost) : change.map((d) => Math.min(Math.round(Math.abs(d)), radius));
  return tensor(
    "float32",
    clean.shape,
    Float32Array.from(base, (k, i) => Math.min(255, Math.max(0, k + Math.sign(change[i]!) * whole[i]!)) / 255),
  );
}

/** Whole numbers of levels whose cost is at most that of the given ones. 1e-3 of a level absorbs float32 rounding of k / 255. */
function filled(levels: Float64Array, cost: (levels: number) => number): Float64Array {
  const below = levels.map((v) => Math.floor(v + 1e-3));
  const nearness = levels.map((v, i) => v - below[i]!);
  let left = levels.reduce((sum, v, i) => sum + cost(v) - cost(below[i]!), 0);
  const order = Uint32Array.from(levels.keys()).sort((a, b) => nearness[b]! - nearness[a]! || a - b);
  for (const i of order) {
    left -= cost(below[i]! + 1) - cost(below[i]!);
    if (left < 0 || nearness[i]! <= 2e-3) break;
    below[i]!++;
  }
  return below;
}
