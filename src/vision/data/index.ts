/** Data without files: formats on bytes, images, synthetic datasets. Runs in the browser; what needs Node is in node/index.ts. */
export type { Conversion } from "./conversions.js";
export { type Dataset, datasetOf, type Labelling, type Sample } from "./dataset.js";
export { DataError } from "./error.js";
export { type Fit, fitted, resizeImage } from "./fit.js";
export type { Correspondence } from "./formats/correspondence.js";
export { parseFlo, writeFlo } from "./formats/flo.js";
export { parseKittiDisparity, parseKittiFlow, writeKittiDisparity, writeKittiFlow } from "./formats/kitti.js";
export { parseBinaryMask, parseLabelMap } from "./formats/label-map.js";
export { parsePfm, parsePfmDisparity, parsePfmFlow, writePfm } from "./formats/pfm.js";
export { decodePng, encodePng, type Png, type PngColor } from "./formats/png.js";
export { parsePpm, writePpm } from "./formats/ppm.js";
export { grayscale } from "./grayscale.js";
export { imageFromSamples, type Samples, samplesFromImage, sizeOfImage } from "./image.js";
export { type SyntheticOptions, syntheticDataset } from "./synthetic/dataset.js";
export type { Averaging } from "./synthetic/light.js";
export { type ShapeKind, shapeKinds } from "./synthetic/shapes.js";
export { type StreetOptions, streetClasses, streetDataset } from "./synthetic/street.js";
