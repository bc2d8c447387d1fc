/** How the step size changes over the steps, as a share of the budget's. Published attacks keep it constant; Auto-PGD has its own rule. */
export const stepSchedules = {
  constant: () => 1,
  /** Down to one step's share of the way: 1 - t / T. */
  linear: (step: number, steps: number) => 1 - step / steps,
  /** (1 + cos(π t / T)) / 2 */
  cosine: (step: number, steps: number) => (1 + Math.cos((Math.PI * step) / steps)) / 2,
} as const satisfies Readonly<Record<string, (step: number, steps: number) => number>>;

export type StepSchedule = keyof typeof stepSchedules;
