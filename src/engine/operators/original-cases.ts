import type { OriginalCase } from "../testing/original-case.js";
import { convolutionOriginals } from "./convolution/original-cases.js";
import { poolingOriginals } from "./pooling/original-cases.js";
import { recurrentOriginals } from "./recurrent/original-cases.js";
import { resamplingOriginals } from "./resampling/original-cases.js";

/** Every operator, or mode of one, that is taken apart, beside the original that ONNX Runtime has. */
export const originals: readonly OriginalCase[] = [
  ...convolutionOriginals,
  ...poolingOriginals,
  ...recurrentOriginals,
  ...resamplingOriginals,
];
