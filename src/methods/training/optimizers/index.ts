export { type AdamwOptions, adamw } from "./adamw.js";
export type { Optimizer, Update, UpdateSite } from "./optimizer.js";
export { type SgdOptions, sgd } from "./sgd.js";
