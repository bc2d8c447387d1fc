export { type AdamwOptions, adamw } from "./adamw.js";
export type { Optimizer, Update, UpdateInputs } from "./optimizer.js";
export { type SgdOptions, sgd } from "./sgd.js";
