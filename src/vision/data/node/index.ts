/** Data on disk: Node only. */
export { imagesBelow } from "./files.js";
export { decodeImage, readImage, writeImage } from "./image-file.js";
export type { Layout, LayoutOptions } from "./layout.js";
export type { LayoutName } from "./layout-names.js";
export { layouts, type OpenOptions, openDataset } from "./open.js";
