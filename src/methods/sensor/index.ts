/** Sensors whose pixel layout is learned with the network behind them; runs wherever an `Engine` does. */
export { boundaryReading, type EdgeOffsets } from "./boundary.js";
export { SensorError } from "./error.js";
export { exactReading } from "./exact.js";
export { gridLines } from "./grid-lines.js";
export { toImageGrid } from "./image-grid.js";
export { interiorReading } from "./interior.js";
export { compose } from "./layouts/compose.js";
export { type LayoutChoice, type LayoutName, layoutOf, layouts } from "./layouts/index.js";
export { chain, determinant, type Jacobian, type Layout, type Point } from "./layouts/layout.js";
export { type PredictionKind, throughSensor } from "./pipeline.js";
export { jitteredAlong, jitteredOffsets, pixelSamples, type Size, sampleImages } from "./samples.js";
export { constantTheta, type Integration, largestTheta, type Sensor, type SensorOptions, sensor } from "./sensor.js";
