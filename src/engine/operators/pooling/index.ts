import { AveragePool } from "./average-pool.js";
import { GlobalAveragePool } from "./global-average-pool.js";
import { GlobalLpPool } from "./global-lp-pool.js";
import { GlobalMaxPool } from "./global-max-pool.js";
import { LpPool } from "./lp-pool.js";
import { MaxPool } from "./max-pool.js";
import { MaxRoiPool } from "./max-roi-pool.js";
import { MaxUnpool } from "./max-unpool.js";
import { RoiAlign } from "./roi-align.js";

export { type AveragePoolOptions, averagePool } from "./average-pool.js";
export { globalAveragePool } from "./global-average-pool.js";
export { globalLpPool } from "./global-lp-pool.js";
export { globalMaxPool } from "./global-max-pool.js";
export { lpPool } from "./lp-pool.js";
export { type MaxPoolOptions, maxPool, maxPoolWithIndices } from "./max-pool.js";
export { maxRoiPool } from "./max-roi-pool.js";
export { maxUnpool } from "./max-unpool.js";
export type { PoolOptions } from "./pool.js";
export { type RoiAlignOptions, roiAlign } from "./roi-align.js";

export const poolingOperators = {
  AveragePool,
  GlobalAveragePool,
  GlobalLpPool,
  GlobalMaxPool,
  LpPool,
  MaxPool,
  MaxRoiPool,
  MaxUnpool,
  RoiAlign,
};
