/**
 * KITTI 2015's ground truth as 16-bit PNG (the development kit's readme): flow is RGB with u = (R - 2^15) / 64, v = (G - 2^15) / 64 and
 * B = 1 where known; disparity is gray with d = value / 256 and 0 where unknown. All in pixels.
 */
import { tensor } from "../../../engine/tensor/tensor.js";
import { DataError } from "../error.js";
import type { Correspondence } from "./correspondence.js";
import { decodePng, encodePng, type Png, type PngColor } from "./png.js";

/**
 * Reads KITTI flow.
 *
 * @throws DataError when the file is not a 16-bit RGB PNG.
 */
export function parseKittiFlow(bytes: Uint8Array): Correspondence {
  const { width, height, data } = decode16(bytes, "rgb", "flow");
  const area = width * height;
  const flow = new Float32Array(2 * area);
  const valid = new Uint8Array(area);
  for (let i = 0; i < area; i++) {
    if (data[3 * i + 2] === 0) continue;
    flow[i] = (data[3 * i]! - 32768) / 64;
    flow[area + i] = (data[3 * i + 1]! - 32768) / 64;
    valid[i] = 1;
  }
  return { target: tensor("float32", [2, height, width], flow), valid: tensor("bool", [height, width], valid) };
}

/**
 * Reads KITTI disparity.
 *
 * @throws DataError when the file is not a 16-bit gray PNG.
 */
export function parseKittiDisparity(bytes: Uint8Array): Correspondence {
  const { width, height, data } = decode16(bytes, "gray", "disparity");
  return {
    target: tensor(
      "float32",
      [1, height, width],
      Float32Array.from(data, (d) => d / 256),
    ),
    valid: tensor(
      "bool",
      [height, width],
      Uint8Array.from(data, (d) => (d > 0 ? 1 : 0)),
    ),
  };
}

/** Writes KITTI flow: rounded to 1/64 pixel. @throws DataError for motion of 512 pixels and more, which the format cannot hold. */
export function writeKittiFlow({ target, valid }: Correspondence): Uint8Array<ArrayBuffer> {
  const [height, width] = valid.shape as [number, number];
  const area = height * width;
  const data = new Uint16Array(3 * area);
  const encode = (v: number) => inside(Math.round(v * 64) + 32768, v, "flow, -512 to 511.98 pixels; write .flo");
  for (let i = 0; i < area; i++) {
    if (valid.data[i] === 1) data.set([encode(target.data[i]!), encode(target.data[area + i]!), 1], 3 * i);
  }
  return encodePng({ width, height, color: "rgb", depth: 16, data });
}

/**
 * Writes KITTI disparity: rounded to 1/256 pixel, known values at least 1/256 because 0 means unknown.
 *
 * @throws DataError for disparities of 256 pixels and more, which the format cannot hold.
 */
export function writeKittiDisparity({ target, valid }: Correspondence): Uint8Array<ArrayBuffer> {
  const [height, width] = valid.shape as [number, number];
  const encode = (d: number) => inside(Math.max(1, Math.round(d * 256)), d, "disparity, 0 to 255.99 pixels; write .pfm");
  const data = Uint16Array.from(target.data, (d, i) => (valid.data[i] === 1 ? encode(d) : 0));
  return encodePng({ width, height, color: "gray", depth: 16, data });
}

function inside(code: number, value: number, range: string): number {
  if (code >= 0 && code <= 65535) return code;
  throw new DataError(`${value} is beyond what a KITTI PNG holds of ${range}.`);
}

function decode16(bytes: Uint8Array, color: PngColor, what: string): Png {
  const png = decodePng(bytes);
  if (png.depth !== 16 || png.color !== color) {
    throw new DataError(`KITTI ${what} is a 16-bit ${color} PNG; this one is ${png.color} at ${png.depth} bits.`);
  }
  return png;
}
