import type { OperatorCase } from "../testing/operator-case.js";
import { activationCases } from "./activation/cases.js";
import { convolutionCases } from "./convolution/cases.js";
import { elementwiseCases } from "./elementwise/cases.js";
import { generatorCases } from "./generator/cases.js";
import { indexingCases } from "./indexing/cases.js";
import { layoutCases } from "./layout/cases.js";
import { linearCases } from "./linear/cases.js";
import { logicCases } from "./logic/cases.js";
import { microsoftCases } from "./microsoft/cases.js";
import { normalizationCases } from "./normalization/cases.js";
import { poolingCases } from "./pooling/cases.js";
import { quantizationCases } from "./quantization/cases.js";
import { reductionCases } from "./reduction/cases.js";
import { resamplingCases } from "./resampling/cases.js";

/** Every operator in every mode, for the comparison with finite differences. */
export const allCases: readonly OperatorCase[] = [
  ...activationCases,
  ...convolutionCases,
  ...elementwiseCases,
  ...generatorCases,
  ...indexingCases,
  ...layoutCases,
  ...linearCases,
  ...logicCases,
  ...normalizationCases,
  ...poolingCases,
  ...quantizationCases,
  ...reductionCases,
  ...resamplingCases,
  ...microsoftCases,
];
