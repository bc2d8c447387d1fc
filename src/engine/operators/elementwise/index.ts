import { Add } from "./add.js";
import { Div } from "./div.js";
import { Mul } from "./mul.js";
import { Neg } from "./neg.js";
import { Sub } from "./sub.js";

export { add } from "./add.js";
export { div } from "./div.js";
export { mul } from "./mul.js";
export { neg } from "./neg.js";
export { sub } from "./sub.js";

export const elementwiseOperators = { Add, Div, Mul, Neg, Sub };
