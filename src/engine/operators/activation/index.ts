import { Relu } from "./relu.js";

export { relu } from "./relu.js";

export const activationOperators = { Relu };
