/** Random transforms that a step averages over, where nobody says how many. */
export const usualSamples = 10;
