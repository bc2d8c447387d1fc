import type { Operator } from "../../graph/operator.js";
import { argumentForms } from "./attributes-to-inputs.js";
import { normalizationForms } from "./normalization.js";
import { quantizationForms } from "./quantize-linear.js";
import { rangeForms } from "./range.js";
import { resamplingForms } from "./resampling.js";
import { softmaxForms } from "./softmax.js";
import { typeForms } from "./types.js";

/**
 * Operators in the forms that they have in other opsets than 18, each for the opsets that it names; an operator that is not listed has one
 * meaning in all opsets from 7 on in which it exists. They are taken apart as they are added to a graph, which knows the types of all operands.
 */
export const operatorForms: readonly Operator[] = [
  ...argumentForms,
  ...softmaxForms,
  ...resamplingForms,
  ...normalizationForms,
  ...typeForms,
  ...rangeForms,
  ...quantizationForms,
];
