import type { OriginalCase } from "../testing/original-case.js";
import { activationOriginals } from "./activation/original-cases.js";
import { attentionOriginals } from "./attention/original-cases.js";
import { convolutionOriginals } from "./convolution/original-cases.js";
import { indexingOriginals } from "./indexing/original-cases.js";
import { layoutOriginals } from "./layout/original-cases.js";
import { microsoftOriginals } from "./microsoft/original-cases.js";
import { normalizationOriginals } from "./normalization/original-cases.js";
import { poolingOriginals } from "./pooling/original-cases.js";
import { quantizationOriginals } from "./quantization/original-cases.js";
import { recurrentOriginals } from "./recurrent/original-cases.js";
import { resamplingOriginals } from "./resampling/original-cases.js";

/** Every operator, or mode of one, that is taken apart, beside the original that ONNX Runtime has. */
export const originals: readonly OriginalCase[] = [
  ...activationOriginals,
  ...attentionOriginals,
  ...convolutionOriginals,
  ...indexingOriginals,
  ...layoutOriginals,
  ...microsoftOriginals,
  ...normalizationOriginals,
  ...poolingOriginals,
  ...quantizationOriginals,
  ...recurrentOriginals,
  ...resamplingOriginals,
];
