import { ReduceSum } from "./reduce-sum.js";

export type { Axes } from "./axes.js";
export { reduceSum } from "./reduce-sum.js";

export const reductionOperators = { ReduceSum };
