import type { Value } from "../engine/graph/graph.js";
import { concat, mul, pad, resize, slice } from "../engine/operators/index.js";
import { type Tensor, tensor } from "../engine/tensor/tensor.js";
import { resizeImage } from "./data/fit.js";
import type { Predictor } from "./predictor.js";
import type { PredictorSize } from "./spec/model-predictor.js";
import type { ModelSpec } from "./spec/model-spec.js";
import type { Task } from "./tasks/index.js";

/**
 * What happens to a picture whose size does not suit the model: "pad" keeps its shape (a picture that is too large, or less than about half as large as
 * a fixed size, is scaled first), "resize" stretches it.
 */
export type Mismatch = "pad" | "resize";

export interface Extent {
  readonly height: number;
  readonly width: number;
}

/** The way of a picture to the model: scaled to one size, then continued at its right and lower edge up to the size that the model sees. */
export interface Framing {
  readonly scaled: Extent;
  readonly seen: Extent;
}

/**
 * How a picture reaches a model that takes only some sizes.
 *
 * @example framing({ height: 300, width: 451 }, { rule: "fixed", height: 128, width: 128 }, "pad") // scaled to 85x128, seen as 128x128
 */
export function framing(picture: Extent, rule: ModelSpec["size"], mismatch: Mismatch): Framing {
  const { height, width } = picture;
  if (rule.rule === "any") return { scaled: picture, seen: picture };
  if (rule.rule === "multiple") {
    const to = (n: number, round: (x: number) => number) => Math.max(rule.of, round(n / rule.of) * rule.of);
    if (mismatch === "resize") {
      const nearest = { height: to(height, Math.round), width: to(width, Math.round) };
      return { scaled: nearest, seen: nearest };
    }
    return { scaled: picture, seen: { height: to(height, Math.ceil), width: to(width, Math.ceil) } };
  }
  const seen = { height: rule.height, width: rule.width };
  if (mismatch === "resize") return { scaled: seen, seen };
  if (height <= seen.height && width <= seen.width && mirrors(picture, seen)) return { scaled: picture, seen };
  const scale = Math.min(seen.height / height, seen.width / width);
  const side = (n: number, most: number) => Math.min(most, Math.max(1, Math.round(n * scale)));
  return { scaled: { height: side(height, seen.height), width: side(width, seen.width) }, seen };
}

/** Whether a picture can be mirrored to a size without a mirror image of the mirror image. */
const mirrors = (from: Extent, to: Extent): boolean => to.height < 2 * from.height && to.width < 2 * from.width;

/**
 * A predictor for pictures of any size from one of a model that takes only some, as one graph: the picture is scaled and padded, the prediction cropped
 * and scaled back. So what is attacked and measured is the picture itself: padding is no part of it, and gradients go through the scaling.
 *
 * @param size of the pictures. @param predictorFor makes the predictor at the size that the model sees.
 * @example framed({ batch: 1, height: 300, width: 451 }, spec.size, "pad", tasks.segmentation, (s) => modelPredictor(model, spec, s, evaluate))
 */
export async function framed(
  size: PredictorSize,
  rule: ModelSpec["size"],
  mismatch: Mismatch,
  task: Task,
  predictorFor: (size: PredictorSize) => Promise<Predictor>,
): Promise<Predictor> {
  const { scaled, seen } = framing(size, rule, mismatch);
  const inner = await predictorFor({ batch: size.batch, ...seen });
  if (same(size, scaled) && same(scaled, seen)) return inner;
  return {
    images: Object.fromEntries(
      Object.entries(inner.images).map(([role, [batch, channels]]) => [role, [batch!, channels!, size.height, size.width]]),
    ),
    predict: (graph, images) => {
      const there = Object.fromEntries(
        Object.entries(images).map(([role, image]) => [role, surrounded(resizedTo(image, scaled), seen, task)]),
      );
      return back(inner.predict(graph, there), scaled, size, task);
    },
  };
}

/**
 * What the model sees of a picture [3, H, W]: the picture's part of `framed` on an array, for what looks into the model. Truth stays the picture's own:
 * predictions are brought back to it (`framed`), it is never brought to them.
 */
export function frameImage(
  image: Tensor<"float32">,
  { scaled, seen }: Framing,
  { surround }: Pick<Task, "surround">,
): Tensor<"float32"> {
  const [channels, height, width] = image.shape as [number, number, number];
  const own = same({ height, width }, scaled) ? image : resizeImage(image, scaled.height, scaled.width);
  if (same(scaled, seen)) return own;
  const out = tensor("float32", [channels, seen.height, seen.width]);
  if (surround !== "mirrored") out.data.fill(surround);
  const mirror = (i: number, n: number) => (n === 1 ? 0 : n - 1 - Math.abs(n - 1 - (i % (2 * n - 2))));
  const [rows, columns] = surround === "mirrored" ? [seen.height, seen.width] : [scaled.height, scaled.width];
  for (let c = 0, to = 0; c < channels; c++)
    for (let y = 0; y < seen.height; y++, to += seen.width) {
      if (y >= rows) continue;
      const row = (c * scaled.height + mirror(y, scaled.height)) * scaled.width;
      for (let x = 0; x < columns; x++) out.data[to + x] = own.data[row + mirror(x, scaled.width)]!;
    }
  return out;
}

/** What surrounds a picture, in words: "mirrored at the edges". */
export const surroundText = ({ surround }: Pick<Task, "surround">): string =>
  surround === "mirrored" ? "mirrored at the edges" : `surrounded with gray (${Math.round(255 * surround)} of 255)`;

const same = (a: Extent, b: Extent): boolean => a.height === b.height && a.width === b.width;

/** Bilinear, antialiased where it shrinks. */
function resizedTo(x: Value, { height, width }: Extent): Value {
  const [, , h, w] = x.shape as [number, number, number, number];
  const along = (v: Value, axis: number, from: number, to: number) =>
    from === to
      ? v
      : resize(v, {
          sizes: [to],
          axes: [axis],
          mode: "linear",
          coordinates: "half_pixel",
          ...(to < from && { downsampling: "antialias" as const }),
        });
  return along(along(x, 2, h, height), 3, w, width);
}

/** What is missing on the right and below is mirrored without repeating the edge, again and again where it has to be. */
function mirrored(x: Value, { height, width }: Extent): Value {
  const [, , h, w] = x.shape as [number, number, number, number];
  if (h === height && w === width) return x;
  const [down, right] = [Math.min(height - h, h - 1), Math.min(width - w, w - 1)];
  // a single row has no other to mirror
  if (down + right === 0) return pad(x, [0, 0, 0, 0, 0, 0, height - h, width - w], "edge");
  return mirrored(pad(x, [0, 0, 0, 0, 0, 0, down, right], "reflect"), { height, width });
}

/** The picture at the upper left of what the model sees; the rest is its mirror image or one intensity. */
function surrounded(x: Value, { height, width }: Extent, { surround }: Task): Value {
  if (surround === "mirrored") return mirrored(x, { height, width });
  const [, , h, w] = x.shape as [number, number, number, number];
  if (h === height && w === width) return x;
  return pad(x, [0, 0, 0, 0, 0, 0, height - h, width - w], "constant", surround);
}

/** The prediction for the picture itself. Classes of whole images are what they are. */
function back(prediction: Value, scaled: Extent, picture: Extent, { pixelUnits, placed }: Task): Value {
  if (placed) {
    const scale = { x: picture.width / scaled.width, y: picture.height / scaled.height };
    return placed.prediction(prediction, { scale, shift: { x: 0, y: 0 }, size: picture });
  }
  if (prediction.shape.length !== 4) return prediction;
  const cropped = slice(prediction, [0, 0], [scaled.height, scaled.width], { axes: [2, 3] });
  const resized = resizedTo(cropped, picture);
  if (pixelUnits.length === 0 || same(scaled, picture)) return resized;
  const channels = pixelUnits.map((axis, c) => mul(slice(resized, [c], [c + 1], { axes: [1] }), picture[axis] / scaled[axis]));
  return channels.length === 1 ? channels[0]! : concat(channels, 1);
}
