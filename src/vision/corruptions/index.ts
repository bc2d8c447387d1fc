/** Common corruptions of pictures: what they are, and pictures and data sets under them. */

export { commonCorruptions, corruptions } from "./catalogue.js";
export { type Corrupting, corruptedDataset, corruptImage } from "./corrupted.js";
export { type Corruption, defineCorruption, type Picture, type Severity, severities } from "./corruption.js";
