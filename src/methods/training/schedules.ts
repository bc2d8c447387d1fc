/** The learning rate for a step, counted from 0, in units of the run's base rate. Pure, so that a resumed run goes on exactly. */
export type Schedule = (step: number) => number;

export const constantRate: Schedule = () => 1;

/**
 * Half a cosine from 1 down to `floor` at the last step (Loshchilov & Hutter 2017, eq. 5 without restarts; `CosineAnnealingLR`).
 *
 * @param floor the lowest rate relative to the base rate; NAFNet's 10⁻⁷ for a base of 10⁻³ is 10⁻⁴.
 */
export const cosine =
  (steps: number, floor = 0): Schedule =>
  (step) =>
    annealed(Math.min(step, steps) / steps, floor);

/** Times `factor` at each of the given steps (`MultiStepLR`). */
export const stepwise =
  (milestones: readonly number[], factor = 0.1): Schedule =>
  (step) =>
    factor ** milestones.filter((m) => step >= m).length;

/**
 * Cosine cycles of the given lengths, each from its own height (Loshchilov & Hutter 2017; BasicSR's `CosineAnnealingRestartCyclicLR`, with
 * which Restormer was trained). After the last cycle the rate stays at that cycle's floor.
 */
export const restarts = (
  cycles: readonly { readonly steps: number; readonly height?: number; readonly floor?: number }[],
): Schedule => {
  return (step) => {
    let begin = 0;
    for (const [i, { steps, height = 1, floor = 0 }] of cycles.entries()) {
      if (step < begin + steps || i === cycles.length - 1)
        return height * annealed(Math.min(step - begin, steps) / steps, floor / height);
      begin += steps;
    }
    return 1;
  };
};

/** Rises linearly over the first `steps`, then follows the other schedule (which counts from the run's beginning). */
export const warmup =
  (steps: number, then: Schedule): Schedule =>
  (step) =>
    then(step) * Math.min(1, (step + 1) / (steps + 1));

const annealed = (done: number, floor: number): number => floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * done));
