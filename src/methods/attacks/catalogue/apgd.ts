import { projectedAscent } from "../ascent/projected-ascent.js";
import { ball, grid, loss, radii, randomStart, restarts, steps, tracked } from "../parameters.js";

/** Auto-PGD: no step size to tune. Its loss is the task's (cross-entropy, dlr, ...). */
export const apgd = projectedAscent({
  name: "apgd",
  title: "Auto-PGD",
  source: "Croce & Hein 2020, algorithm 1",
  summary: "steps that it sizes itself, from 2 epsilon down, and goes back to the best point",
  parameters: { ...ball, ...steps, ...restarts, ...randomStart, ...radii, ...grid, ...loss, ...tracked },
  parts: ({ norm, radii }, { autoPgdIn }) => ({ descent: autoPgdIn(norm, "paper", radii) }),
});
