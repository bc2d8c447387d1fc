/** Image files in Node, by sharp (https://sharp.pixelplumbing.com), which is loaded with the first picture: that takes 0.1 s. */
import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { DataError } from "../error.js";
import { parsePpm } from "../formats/ppm.js";
import { imageFromSamples, type Samples, samplesFromImage } from "../image.js";
import { load } from "./files.js";

/**
 * Reads a picture as float32 `[3, H, W]`, RGB, exactly v / 255 (v / 65535 for 16-bit files).
 *
 * The EXIF orientation is applied; gray is repeated on three channels; transparency is laid over white; CMYK becomes sRGB. An embedded
 * color profile is **not** applied: the stored values are what networks are trained on.
 *
 * @example const image = await readImage("photo.jpg")
 * @throws DataError when the file is missing, damaged, cut short or no picture.
 */
export async function readImage(path: string): Promise<Tensor<"float32">> {
  const isNetpbm = [".ppm", ".pgm"].includes(extname(path).toLowerCase());
  return imageFromSamples(await load(path, isNetpbm ? parsePpm : decodeImage));
}

/**
 * Decodes a picture of any format that sharp knows; see `readImage`.
 *
 * @throws DataError when the bytes are damaged, cut short or no picture.
 */
export async function decodeImage(bytes: Uint8Array): Promise<Samples> {
  const { default: sharp } = await import("sharp");
  try {
    // "error": a file with a mere warning (many real JPEGs) is read, a truncated one is not.
    const source = sharp(bytes, { ignoreIcc: true, autoOrient: true, failOn: "error" });
    const { depth, space, pages = 1 } = await source.metadata();
    const wide = depth === "ushort";
    const { data, info } = await source
      .toColourspace(wide ? "rgb16" : "srgb")
      .raw({ depth: wide ? "ushort" : "uchar" })
      .toBuffer({ resolveWithObject: true });
    const samples = wide
      ? new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length))
      : new Uint8Array(data);
    return {
      width: info.width,
      height: info.height,
      channels: info.channels as Samples["channels"],
      data: samples,
      converted: [...(space === "cmyk" ? (["cmyk"] as const) : []), ...(pages > 1 ? (["frames"] as const) : [])],
    };
  } catch (error) {
    throw new DataError(`this is not a picture that can be read (${(error as Error).message.split("\n")[0]}).`);
  }
}

/** The EXIF orientation of a picture (a path, or its bytes), 1 to 8; 1 (as stored) where it has none. */
export async function orientationOf(picture: string | Uint8Array): Promise<number> {
  const bytes = typeof picture === "string" ? await load(picture, (read) => read) : picture;
  const { default: sharp } = await import("sharp");
  const metadata = await sharp(bytes)
    .metadata()
    .catch(() => undefined);
  return metadata?.orientation ?? 1;
}

/**
 * Writes an image as 8-bit RGB PNG. Values are clipped to [0, 1] and rounded to the nearest level: what `readImage` gave for an 8-bit
 * file is written back unchanged.
 *
 * @throws DataError when the tensor is not `[3, H, W]`.
 */
export async function writeImage(path: string, image: Tensor<"float32">): Promise<void> {
  await writeFile(path, await encodeImage(image));
}

/** The bytes that `writeImage` writes. */
export async function encodeImage(image: Tensor<"float32">): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const { width, height, channels, data } = samplesFromImage(image);
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}
