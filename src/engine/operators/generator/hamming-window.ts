import { defineOperator } from "../../graph/operator.js";
import { windowFunction } from "./window-function.js";

export const HammingWindow = defineOperator({ name: "HammingWindow", ...windowFunction });
