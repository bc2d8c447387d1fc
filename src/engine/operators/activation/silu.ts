import type { Value } from "../../graph/graph.js";
import { mul } from "../elementwise/mul.js";
import { sigmoid } from "./sigmoid.js";

/** `x σ(x)`, also called swish (Ramachandran et al. 2017, arXiv 1710.05941). */
export const silu = (x: Value): Value => mul(x, sigmoid(x));
