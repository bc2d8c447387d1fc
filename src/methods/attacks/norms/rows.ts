import type { Value } from "../../../engine/graph/graph.js";
import { reshape } from "../../../engine/operators/index.js";

/** [B, C, H, W] as [B, C · H · W]: one row for each image. */
export const rows = (x: Value): Value => reshape(x, [x.shape[0]!, -1]);
