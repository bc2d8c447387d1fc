/** How a perturbation of an image is measured, over all its color values: the largest, the root of squares, the sum, the number of those that changed. */
export type NormName = "l_inf" | "l_2" | "l_1" | "l_0";

type Numbers = Float32Array | Float64Array;

/** Size of a perturbation, all its numbers together, in each norm. */
export const lengths: Readonly<Record<NormName, (delta: Numbers) => number>> = {
  l_inf(delta) {
    let most = 0;
    for (let i = 0; i < delta.length; i++) most = Math.max(most, Math.abs(delta[i]!));
    return most;
  },
  l_2(delta) {
    let squares = 0;
    for (let i = 0; i < delta.length; i++) squares += delta[i]! ** 2;
    return Math.sqrt(squares);
  },
  l_1(delta) {
    let sum = 0;
    for (let i = 0; i < delta.length; i++) sum += Math.abs(delta[i]!);
    return sum;
  },
  l_0(delta) {
    let changed = 0;
    for (let i = 0; i < delta.length; i++) if (delta[i] !== 0) changed++;
    return changed;
  },
};

/** Hölder's partner: |⟨w, δ⟩| ≤ ‖w‖ ‖δ‖, so a plane at height f over x is f / ‖w‖ away from it. */
export const dualOf = { l_inf: "l_1", l_2: "l_2", l_1: "l_inf" } as const satisfies Partial<Record<NormName, NormName>>;
