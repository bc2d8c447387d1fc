import { Expand } from "./expand.js";
import { Identity } from "./identity.js";
import { Reshape } from "./reshape.js";
import { Transpose } from "./transpose.js";

export { expand } from "./expand.js";
export { identity } from "./identity.js";
export { reshape } from "./reshape.js";
export { transpose } from "./transpose.js";

export const layoutOperators = { Expand, Identity, Reshape, Transpose };
