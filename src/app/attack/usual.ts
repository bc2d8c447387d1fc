/** Steps of an attack, where nobody says how many. */
export const usualSteps = 20;

/** Random transforms that a step averages over, where nobody says how many. */
export const usualSamples = 10;
