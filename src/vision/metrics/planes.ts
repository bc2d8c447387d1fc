import type { Tensor } from "../../engine/tensor/tensor.js";
import { MetricError } from "./metric.js";

/** One image: planar [C, H, W]. */
export type ImageTensor = Tensor<"float32"> | Tensor<"float64">;

export interface Planes {
  readonly planes: readonly Float64Array[];
  readonly height: number;
  readonly width: number;
}

/**
 * The planes of an image in double precision.
 *
 * @throws MetricError when the tensor is not [C, H, W].
 */
export function planesOf(image: ImageTensor): Planes {
  const [channels, height, width] = image.shape;
  if (
    image.shape.length !== 3 ||
    channels === undefined ||
    height === undefined ||
    width === undefined ||
    image.data.length === 0
  ) {
    throw new MetricError(`An image metric needs tensors of shape [C, H, W], not [${image.shape.join(", ")}].`);
  }
  const area = height * width;
  const planes = Array.from({ length: channels }, (_, c) => Float64Array.from(image.data.subarray(c * area, (c + 1) * area)));
  return { planes, height, width };
}

/** The planes of two images of one shape. */
export function planesOfPair(prediction: ImageTensor, target: ImageTensor): [Planes, Planes] {
  if (prediction.shape.join() !== target.shape.join()) {
    throw new MetricError(`The prediction is [${prediction.shape.join(", ")}], but the target is [${target.shape.join(", ")}].`);
  }
  return [planesOf(prediction), planesOf(target)];
}

/**
 * The luma of an RGB image in [0, 1] as MATLAB's `rgb2ycbcr` and BasicSR's `rgb2ycbcr(y_only=True)` compute it (ITU-R BT.601, studio
 * range): Y = (65.481 R + 128.553 G + 24.966 B + 16) / 255.
 */
export function luma({ planes, height, width }: Planes): Planes {
  const [r, g, b] = planes;
  if (planes.length !== 3 || !r || !g || !b)
    throw new MetricError(`Luma needs an RGB image, not one of ${planes.length} channels.`);
  const y = r.map((red, i) => (65.481 * red + 128.553 * g[i]! + 24.966 * b[i]! + 16) / 255);
  return { planes: [y], height, width };
}

/** What a PNG keeps: values clipped to [0, 1] and rounded to the nearest of 256 levels, ties to even as numpy rounds. */
export function eightBit({ planes, height, width }: Planes): Planes {
  const round = (value: number) => {
    const level = Math.min(Math.max(value, 0), 1) * 255;
    const below = Math.floor(level);
    const up = level - below > 0.5 || (level - below === 0.5 && below % 2 === 1);
    return (Number.isNaN(level) ? level : below + (up ? 1 : 0)) / 255;
  };
  return { planes: planes.map((plane) => plane.map(round)), height, width };
}
