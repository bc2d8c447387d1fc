/** Alias-free and large-context resampling for models that exist already. */
export { downChoices, upChoices } from "./choices.js";
export { type OutputDifference, outputDifferences } from "./difference.js";
export { retrofitFile } from "./in-file.js";
export { evaluateKernels } from "./kernels.js";
export { type DownChoiceName, downChoiceNames, type UpChoiceName, upChoiceNames } from "./names.js";
export { type Change, type RetrofitOptions, type Retrofitted, retrofit } from "./retrofit.js";
