/** What searches for the smallest perturbation are made of. */
export { dualOf, lengths } from "../lengths.js";
export { annealed, intoBox, moved, projections, roomOf } from "./balls.js";
export { fab } from "./fab.js";
export { crossEntropyLeft, leadOverRival, marginLeft } from "./objectives.js";
export { others } from "./rivals.js";
export { compileSmallest } from "./search.js";
