import { writeFileSync } from "node:fs";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { encodePng } from "../../../vision/data/formats/png.js";

/** Writes class indices [H, W] as a gray PNG. */
export function writeMask(path: string, { shape, data }: Tensor): void {
  const [height, width] = shape as [number, number];
  writeFileSync(path, encodePng({ width, height, color: "gray", depth: 8, data: Uint8Array.from(data as Int32Array) }));
}
