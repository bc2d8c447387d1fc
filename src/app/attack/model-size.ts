import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Sample } from "../../vision/data/dataset.js";
import { resizeSample } from "../../vision/data/fit.js";
import { framing, type Mismatch } from "../../vision/framed-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { type Prepared, prepare } from "./prepare.js";

/**
 * A sample at a size that the model takes, for methods that look into the model instead of attacking pictures: scaled and padded as the predictor does it
 * (`framed`), with padding marked as invalid; `height` and `width` stay those of the part that is not padding.
 *
 * @throws DataError as `prepare`.
 */
export function prepareAtModelSize(
  sample: Sample,
  index: number,
  roles: readonly string[],
  spec: ModelSpec,
  mismatch: Mismatch,
): Prepared {
  const picture = prepare(sample, index, roles, spec, { mismatch });
  const { scaled, seen } = framing(picture, spec.size, mismatch);
  const resized = scaled.height !== picture.height || scaled.width !== picture.width;
  const inside = resized ? prepare(resizeSample(sample, scaled, spec.task), index, roles, spec, { mismatch }) : picture;
  if (seen.height === scaled.height && seen.width === scaled.width) return inside;
  const { height, width } = seen;
  const { images, target, valid } = inside;
  const known = valid ?? tensor("float32", [scaled.height, scaled.width], new Float32Array(scaled.height * scaled.width).fill(1));
  const mirrored = <T extends Tensor>(t: T) => pad(t, height, width, "reflect") as T;
  return {
    ...inside,
    images: Object.fromEntries(Object.entries(images).map(([role, image]) => [role, mirrored(image)])),
    target: target && (target.shape.length < 2 ? target : mirrored(target)),
    valid: pad(known, height, width, 0) as Tensor<"float32">,
  };
}

/** Extends [.., H, W] to the right and below: mirrored without repeating the edge, or with a number. */
function pad(t: Tensor, height: number, width: number, fill: "reflect" | number): Tensor {
  const [h, w] = t.shape.slice(-2) as [number, number];
  const lead = t.shape.slice(0, -2);
  const out = tensor(t.type, [...lead, height, width]);
  const mirror = (i: number, n: number) => (n === 1 ? 0 : n - 1 - Math.abs(n - 1 - (i % (2 * n - 2))));
  const [from, to] = [t.data as Float32Array, out.data as Float32Array];
  for (let l = 0; l < sizeOf(lead); l++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inside = y < h && x < w;
        to[(l * height + y) * width + x] =
          inside || fill === "reflect" ? from[(l * h + mirror(y, h)) * w + mirror(x, w)]! : (fill as number);
      }
    }
  }
  return out;
}
