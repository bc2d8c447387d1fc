import { defineOperator } from "../../graph/operator.js";
import { windowFunction } from "./window-function.js";

export const BlackmanWindow = defineOperator({ name: "BlackmanWindow", ...windowFunction });
