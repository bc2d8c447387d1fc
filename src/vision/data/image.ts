/** Images as tensors: float32 `[3, H, W]`, RGB, in [0, 1], exactly v / 255 (8-bit) or v / 65535 (16-bit). */
import { describe, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { type Conversion, converted } from "./conversions.js";
import { DataError } from "./error.js";

/** Interleaved samples as decoders give them: gray, gray + alpha, RGB or RGBA. */
export interface Samples {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array;
  /** What the decoder did to the file's own samples, where these are not they. */
  readonly converted?: readonly Conversion[];
}

/**
 * An image tensor from interleaved samples, for example a canvas's `ImageData` (with `channels: 4`). Gray is repeated on three
 * channels; alpha is laid over white, so that opaque images keep their exact values.
 *
 * @example imageFromSamples({ width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 51, 0) }).data // 1, 0.2, 0
 * @throws DataError when the number of samples does not match the size.
 */
export function imageFromSamples({ width, height, channels, data, converted: before = [] }: Samples): Tensor<"float32"> {
  const area = width * height;
  if (data.length !== area * channels) {
    throw new DataError(
      `An image of ${width}x${height} with ${channels} channels has ${area * channels} samples, not ${data.length}.`,
    );
  }
  const white = data instanceof Uint16Array ? 65535 : 255;
  const color = channels >= 3 ? 1 : 0;
  const hasAlpha = channels === 2 || channels === 4;
  const image = new Float32Array(3 * area);
  let transparent = 0;
  for (let c = 0; c < 3; c++) {
    for (let i = 0, from = c * color, to = c * area; i < area; i++, from += channels, to++) {
      const value = data[from]!;
      const alpha = hasAlpha ? data[i * channels + channels - 1]! : white;
      if (alpha === white) image[to] = value / white;
      else {
        image[to] = (value * alpha + white * (white - alpha)) / (white * white);
        transparent++;
      }
    }
  }
  return converted(tensor("float32", [3, height, width], image), [
    ...before,
    ...(transparent > 0 ? (["transparency"] as const) : []),
    ...(data instanceof Uint16Array ? (["16-bit"] as const) : []),
  ]);
}

/**
 * The interleaved 8-bit RGB samples of an image: values are clipped to [0, 1] and rounded to the nearest of 256 levels, so that
 * what was read from 8 bits comes back unchanged.
 *
 * @throws DataError when the tensor is not `[3, H, W]`.
 */
export function samplesFromImage(image: Tensor<"float32">): Samples & { readonly channels: 3; readonly data: Uint8ClampedArray } {
  const { height, width } = sizeOfImage(image);
  const area = width * height;
  const data = new Uint8ClampedArray(3 * area);
  for (let c = 0; c < 3; c++) for (let i = 0; i < area; i++) data[3 * i + c] = image.data[c * area + i]! * 255;
  return { width, height, channels: 3, data };
}

/**
 * Height and width of an image tensor.
 *
 * @throws DataError when the tensor is not `[3, H, W]`.
 */
export function sizeOfImage(image: Tensor): { height: number; width: number } {
  const [channels, height, width] = image.shape;
  if (image.shape.length !== 3 || channels !== 3 || height === undefined || width === undefined) {
    throw new DataError(`An image is float32[3, height, width], not ${describe(image)}.`);
  }
  return { height, width };
}
