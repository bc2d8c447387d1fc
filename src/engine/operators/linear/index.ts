import { Det } from "./det.js";
import { Einsum } from "./einsum.js";
import { Gemm } from "./gemm.js";
import { MatMul } from "./mat-mul.js";
import { MatMulInteger } from "./mat-mul-integer.js";

export { det } from "./det.js";
export { einsum } from "./einsum.js";
export { type GemmOptions, gemm } from "./gemm.js";
export { matMul } from "./mat-mul.js";
export { matMulInteger } from "./mat-mul-integer.js";

export const linearOperators = { Det, Einsum, Gemm, MatMul, MatMulInteger };
