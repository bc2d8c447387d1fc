import { MatMul } from "./mat-mul.js";

export { matMul } from "./mat-mul.js";

export const linearOperators = { MatMul };
