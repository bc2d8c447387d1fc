import { projectedAscent } from "../ascent/projected-ascent.js";
import { ball, grid, loss, randomStart, restarts } from "../parameters.js";

/** No attack at all: a random point of the ball, the best of `restarts` draws. What every attack must beat. */
export const noise = projectedAscent({
  name: "noise",
  title: "Random noise",
  source: "baseline",
  summary: "a random point of the ball, which every attack must beat",
  parameters: { ...ball, ...restarts, ...randomStart, ...grid, ...loss },
  follows: "nothing",
  parts: (_, { noStep }) => ({ descent: noStep }),
});
