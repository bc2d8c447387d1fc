/**
 * Depth as 16-bit gray PNG, 0 where unknown: KITTI's depth maps have meters times 256 (the development kit's readme), most others, NYU Depth V2
 * as it is usually repacked among them, millimeters.
 */
import { tensor } from "../../../engine/tensor/tensor.js";
import { DataError } from "../../data/error.js";
import type { Truth } from "../../data/folder-rule.js";
import { parsePfm } from "../../data/formats/pfm.js";
import { decodePng, encodePng } from "../../data/formats/png.js";

/** Stored steps in a meter. */
export const stepsPerMeter = { millimeters: 1000, kitti: 256 } as const;

/**
 * Reads a depth map, float32 `[1, H, W]` in meters.
 *
 * @throws DataError when the file is not a 16-bit gray PNG.
 */
export function parseDepthPng(bytes: Uint8Array, unit: keyof typeof stepsPerMeter): Truth {
  const { width, height, data, depth, color } = decodePng(bytes);
  if (depth !== 16 || color !== "gray")
    throw new DataError(`A depth map is a 16-bit gray PNG; this one is ${color} at ${depth} bits.`);
  const steps = stepsPerMeter[unit];
  return {
    target: tensor(
      "float32",
      [1, height, width],
      Float32Array.from(data, (v) => v / steps),
    ),
    valid: tensor(
      "bool",
      [height, width],
      Uint8Array.from(data, (v) => (v > 0 ? 1 : 0)),
    ),
  };
}

/**
 * Writes a depth map: rounded to a step, known depths at least one, because 0 means unknown.
 *
 * @throws DataError for depths beyond what 16 bits hold: 65.5 m in millimeters, 256 m in KITTI's unit.
 */
export function writeDepthPng({ target, valid }: Truth, unit: keyof typeof stepsPerMeter): Uint8Array<ArrayBuffer> {
  const [height, width] = valid.shape as [number, number];
  const steps = stepsPerMeter[unit];
  const data = Uint16Array.from(target.data, (depth, i) => {
    if (valid.data[i] !== 1) return 0;
    const code = Math.max(1, Math.round(depth * steps));
    if (code <= 65535) return code;
    throw new DataError(`A depth of ${depth} m is beyond what a 16-bit PNG holds, ${(65535 / steps).toFixed(1)} m; write .pfm.`);
  });
  return encodePng({ width, height, color: "gray", depth: 16, data });
}

/** Reads depth in meters from a one-channel float map; 0, infinite and NaN values are unknown. */
export function parseDepthPfm(bytes: Uint8Array): Truth {
  const map = parsePfm(bytes);
  if (map.shape[0] !== 1) throw new DataError("A depth map has one channel; this PFM file has three.");
  const known = (d: number) => Number.isFinite(d) && d > 0;
  return {
    target: tensor(
      "float32",
      map.shape,
      map.data.map((d) => (known(d) ? d : 0)),
    ),
    valid: tensor(
      "bool",
      map.shape.slice(1),
      Uint8Array.from(map.data, (d) => (known(d) ? 1 : 0)),
    ),
  };
}
