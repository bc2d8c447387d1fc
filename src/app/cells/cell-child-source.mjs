// Starts cell-child.ts when Faultline runs from its source.
import { register } from "tsx/esm/api";

register();
await import("./cell-child.ts");
