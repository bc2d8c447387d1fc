/** Scores on arrays: one class for each task, which takes samples in any order and joins parts of a data set. */
export { ClassificationMetric, type ClassificationResult, type ClassificationSample } from "./classification.js";
export { DisparityMetric, type DisparityResult, type DisparitySample } from "./disparity.js";
export { FlowMetric, type FlowResult, type FlowSample } from "./flow.js";
export { type Metric, MetricError, type ValidMask } from "./metric.js";
export { RestorationMetric, type RestorationOptions, type RestorationResult, type RestorationSample } from "./restoration.js";
export { SegmentationMetric, type SegmentationResult, type SegmentationSample } from "./segmentation.js";
