import { ArgMax } from "./arg-max.js";
import { ArgMin } from "./arg-min.js";
import { CumSum } from "./cum-sum.js";
import { ReduceL1 } from "./reduce-l1.js";
import { ReduceL2 } from "./reduce-l2.js";
import { ReduceLogSum } from "./reduce-log-sum.js";
import { ReduceLogSumExp } from "./reduce-log-sum-exp.js";
import { ReduceMax } from "./reduce-max.js";
import { ReduceMean } from "./reduce-mean.js";
import { ReduceMin } from "./reduce-min.js";
import { ReduceProd } from "./reduce-prod.js";
import { ReduceSum } from "./reduce-sum.js";
import { ReduceSumSquare } from "./reduce-sum-square.js";

export { argMax } from "./arg-max.js";
export { argMin } from "./arg-min.js";
export type { Axes } from "./axes.js";
export type { CumSumOptions } from "./cum-sum.js";
export { cumSum } from "./cum-sum.js";
export { reduceL1 } from "./reduce-l1.js";
export { reduceL2 } from "./reduce-l2.js";
export { reduceLogSum } from "./reduce-log-sum.js";
export { reduceLogSumExp } from "./reduce-log-sum-exp.js";
export { reduceMax } from "./reduce-max.js";
export { reduceMean } from "./reduce-mean.js";
export { reduceMin } from "./reduce-min.js";
export { reduceProd } from "./reduce-prod.js";
export { reduceSum } from "./reduce-sum.js";
export { reduceSumSquare } from "./reduce-sum-square.js";

export const reductionOperators = {
  ArgMax,
  ArgMin,
  CumSum,
  ReduceL1,
  ReduceL2,
  ReduceLogSumExp,
  ReduceLogSum,
  ReduceMax,
  ReduceMean,
  ReduceMin,
  ReduceProd,
  ReduceSumSquare,
  ReduceSum,
};
