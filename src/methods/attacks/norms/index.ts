import type { Norm } from "../ascent/ascent.js";
import { l1 } from "./l-1.js";
import { l2 } from "./l-2.js";
import { lInf } from "./l-inf.js";

export const norms: Readonly<Record<Norm["name"], Norm>> = { l_inf: lInf, l_2: l2, l_1: l1 };
