/**
 * The portable float map (http://netpbm.sourceforge.net/doc/pfm.html): "Pf" (one channel) or "PF" (three), width, height, a scale whose
 * sign gives the byte order (negative: little-endian), then float32 rows **from the bottom up**.
 */
import { describe, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { DataError } from "../error.js";
import type { Correspondence } from "./correspondence.js";
import { netpbmHeader } from "./netpbm-header.js";

/**
 * Reads a float map as float32 `[1, H, W]` or `[3, H, W]`, top row first, values as stored (the scale's magnitude is not applied, as in
 * the tools of the datasets that use the format).
 *
 * @throws DataError when the bytes are not a PFM file or are cut short.
 */
export function parsePfm(bytes: Uint8Array): Tensor<"float32"> {
  const { magic, numbers, offset } = netpbmHeader(bytes, "PFM", ["Pf", "PF"]);
  const [width, height, scale] = numbers;
  const channels = magic === "PF" ? 3 : 1;
  const size = channels * width * height;
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0) || scale === 0) {
    throw new DataError(`The PFM header gives width ${width}, height ${height}, scale ${scale}, which no file can have.`);
  }
  if (bytes.length - offset !== 4 * size) {
    throw new DataError(
      `A PFM file of ${width}x${height}x${channels} has ${4 * size} bytes of values, not ${bytes.length - offset}.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const data = new Float32Array(size);
  for (let y = 0, at = 0; y < height; y++) {
    const row = (height - 1 - y) * width;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++, at += 4) data[c * width * height + row + x] = view.getFloat32(at, scale < 0);
    }
  }
  return tensor("float32", [channels, height, width], data);
}

/** Writes `[1, H, W]` or `[3, H, W]`, little-endian. */
export function writePfm(map: Tensor<"float32">): Uint8Array<ArrayBuffer> {
  const [channels, height, width] = map.shape as [number, number, number];
  if (map.shape.length !== 3 || (channels !== 1 && channels !== 3)) {
    throw new DataError(`A PFM file holds float32[1 or 3, height, width], not ${describe(map)}.`);
  }
  const header = new TextEncoder().encode(`${channels === 3 ? "PF" : "Pf"}\n${width} ${height}\n-1.0\n`);
  const bytes = new Uint8Array(header.length + 4 * map.data.length);
  bytes.set(header);
  const view = new DataView(bytes.buffer, header.length);
  for (let y = 0, at = 0; y < height; y++) {
    const row = (height - 1 - y) * width;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++, at += 4) view.setFloat32(at, map.data[c * width * height + row + x]!, true);
    }
  }
  return bytes;
}

/**
 * Disparity from a one-channel float map. Infinite and NaN values are unknown (Middlebury). The sign is dropped: some publishers store
 * x_right - x_left, which is negative throughout.
 */
export function parsePfmDisparity(bytes: Uint8Array): Correspondence {
  const map = parsePfm(bytes);
  if (map.shape[0] !== 1) throw new DataError("A disparity map has one channel; this PFM file has three.");
  const valid = Uint8Array.from(map.data, (d) => (Number.isFinite(d) ? 1 : 0));
  const disparity = map.data.map((d) => (Number.isFinite(d) ? Math.abs(d) : 0));
  return { target: tensor("float32", map.shape, disparity), valid: tensor("bool", map.shape.slice(1), valid) };
}

/** Flow from a three-channel float map (u, v, unused), as FlyingThings3D stores it. */
export function parsePfmFlow(bytes: Uint8Array): Correspondence {
  const map = parsePfm(bytes);
  if (map.shape[0] !== 3) throw new DataError("A flow map has three channels (u, v, unused); this PFM file has one.");
  const [, height, width] = map.shape as [number, number, number];
  const area = height * width;
  const flow = map.data.slice(0, 2 * area);
  const valid = new Uint8Array(area);
  for (let i = 0; i < area; i++) {
    if (Number.isFinite(flow[i]!) && Number.isFinite(flow[area + i]!)) valid[i] = 1;
    else flow[i] = flow[area + i] = 0;
  }
  return { target: tensor("float32", [2, height, width], flow), valid: tensor("bool", [height, width], valid) };
}
