/** Binary PGM ("P5") and PPM ("P6") images (http://netpbm.sourceforge.net/doc/ppm.html), which FlyingChairs uses and sharp does not read. */

import { DataError } from "../error.js";
import type { Samples } from "../image.js";
import { netpbmHeader } from "./netpbm-header.js";

/**
 * Reads 8-bit samples of a gray or RGB image.
 *
 * @throws DataError when the bytes are not an 8-bit PGM or PPM file or are cut short.
 */
export function parsePpm(bytes: Uint8Array): Samples {
  const { magic, numbers, offset } = netpbmHeader(bytes, "binary PGM or PPM", ["P5", "P6"]);
  const [width, height, largest] = numbers;
  if (largest !== 255) throw new DataError(`Only PPM files with values up to 255 are read; this one goes up to ${largest}.`);
  const channels = magic === "P6" ? 3 : 1;
  const size = width * height * channels;
  if (!(size > 0) || bytes.length - offset < size) {
    throw new DataError(`A PPM file of ${width}x${height}x${channels} has ${size} samples, not ${bytes.length - offset}.`);
  }
  return { width, height, channels, data: bytes.subarray(offset, offset + size) };
}

/** Writes an 8-bit RGB image. */
export function writePpm({ width, height, data }: Samples & { readonly channels: 3 }): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(`P6\n${width} ${height}\n255\n`);
  const bytes = new Uint8Array(header.length + data.length);
  bytes.set(header);
  bytes.set(data, header.length);
  return bytes;
}
