// Starts node-worker.ts when Faultline runs from its source: Node 20 does not apply `--import tsx` inside workers.
import { register } from "tsx/esm/api";

register();
await import("./node-worker.ts");
