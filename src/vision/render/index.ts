/** Predictions as pictures: pure functions from tensors to RGB images float32 [3, H, W] in [0, 1], the same in Node and the browser. */
export { type Guess, topClasses } from "./classification.js";
export { classColor, hex, type Rgb, viridis } from "./color.js";
export { disparityRange, type Range, renderDisparity } from "./disparity.js";
export { flowColor, flowRadius, flowWheel, renderFlow } from "./flow.js";
export { renderPerturbation } from "./perturbation.js";
export { renderRestoration } from "./restoration.js";
export { renderSaliency } from "./saliency.js";
export { colorOfClass, type LegendEntry, renderSegmentation, segmentationLegend } from "./segmentation.js";
