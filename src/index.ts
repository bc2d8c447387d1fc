/** The library in Node. */
export { readModel } from "./engine/onnx/read-file.js";
export { type SaveOptions, saveModel } from "./engine/onnx/write-file.js";
export { createEngine } from "./engine/runtime/node.js";
export { readTensors, TensorFileError, writeTensors } from "./engine/tensor/tensor-files.js";
export * from "./library.js";
export { openDataset, readImage, writeImage } from "./vision/data/node/index.js";
export { loadModel } from "./vision/model/node.js";
export { loadCheckpoint, saveCheckpoint } from "./vision/nn/checkpoints/files.js";
