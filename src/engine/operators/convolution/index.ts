import { Conv } from "./conv.js";
import { ConvInteger } from "./conv-integer.js";
import { ConvTranspose } from "./conv-transpose.js";
import { DeformConv } from "./deform-conv.js";

export { type ConvOptions, conv } from "./conv.js";
export { convInteger } from "./conv-integer.js";
export { type ConvTransposeOptions, convTranspose } from "./conv-transpose.js";
export { type DeformConvOptions, deformConv } from "./deform-conv.js";

export const convolutionOperators = { Conv, ConvInteger, ConvTranspose, DeformConv };
