import { Greater } from "./greater.js";
import { Where } from "./where.js";

export { greater } from "./greater.js";
export { where } from "./where.js";

export const logicOperators = { Greater, Where };
