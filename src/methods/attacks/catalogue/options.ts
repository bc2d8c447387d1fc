import type { PixelFunction } from "../../../vision/tasks/index.js";
import type { Budget, Goal, Norm, Start } from "../attack.js";
import { AttackError } from "../error.js";
import type { StepSchedule } from "../step-schedule.js";

/** What a user says of an attack; the rest follows from its definition. */
export interface AttackOptions {
  readonly norm: Norm;
  /** Radius of the ball, in [0, 1] units of the norm. */
  readonly epsilon: number;
  /** Default 20. */
  readonly steps?: number;
  /** Default: see `budget`. One step alone always has length ε, as published. */
  readonly stepSize?: number;
  /** Default constant. */
  readonly schedule?: StepSchedule;
  readonly restarts?: number;
  readonly grid?: Budget["grid"];
  readonly goal?: Goal;
  readonly start?: Start;
  readonly loss?: string | PixelFunction;
  /** CosPGD's alignment; default the task's published one. */
  readonly alignment?: string;
}

/**
 * Completes a budget. Default step size in l_inf: the published 0.01 for ε of 8/255 and more, the same share of the ball, 0.32 ε, below; 0.2 ε in the
 * other norms.
 *
 * @throws AttackError where a number makes no sense.
 */
export function budget({
  epsilon,
  steps = 20,
  stepSize,
  schedule = "constant",
  restarts = 1,
  grid = "continuous",
  norm,
}: AttackOptions): Budget {
  const unit = norm.name === "l_inf";
  if (!(epsilon > 0)) throw new AttackError(`Epsilon ${epsilon} is no radius; give a number above 0, such as 8/255.`);
  if (unit && epsilon > 1) throw new AttackError(beyondRange("Epsilon", epsilon));
  if (!Number.isInteger(steps) || steps < 1)
    throw new AttackError(`An attack takes a whole number of steps of at least 1, not ${steps}.`);
  if (!Number.isInteger(restarts) || restarts < 1)
    throw new AttackError(`An attack takes a whole number of restarts of at least 1, not ${restarts}.`);
  if (stepSize !== undefined && !(stepSize > 0)) throw new AttackError(`Step size ${stepSize} must be above 0.`);
  if (unit && stepSize !== undefined && stepSize > 1) throw new AttackError(beyondRange("Step size", stepSize));
  if (grid === "8-bit" && epsilon < (1 - 1e-6) / 255)
    throw new AttackError(
      `Epsilon ${epsilon} is less than one level of an 8-bit image (1/255), so on the 8-bit grid nothing can move; take 1/255 or more, or the continuous grid.`,
    );
  const usual = unit ? Math.min(0.01, 0.32 * epsilon) : 0.2 * epsilon;
  return { epsilon, steps, stepSize: stepSize ?? (steps === 1 ? epsilon : usual), schedule, restarts, grid };
}

const beyondRange = (what: string, value: number): string =>
  `${what} ${value} in l_inf would let every pixel take any value, since images are in [0, 1] here; for ${value} of 255 levels write ${value}/255.`;
