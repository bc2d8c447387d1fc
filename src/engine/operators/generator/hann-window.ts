import { defineOperator } from "../../graph/operator.js";
import { windowFunction } from "./window-function.js";

export const HannWindow = defineOperator({ name: "HannWindow", ...windowFunction });
