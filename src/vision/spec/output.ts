/** From raw outputs to canonical predictions: what the tasks' readers share. */
import type { Value } from "../../engine/graph/graph.js";
import { Sigmoid } from "../../engine/operators/activation/sigmoid.js";
import { Softmax } from "../../engine/operators/activation/softmax.js";
import { Cast } from "../../engine/operators/elementwise/cast.js";
import {
  add,
  cast,
  clip,
  concat,
  div,
  log,
  mul,
  resize,
  slice,
  sub,
  transpose,
  unsqueeze,
} from "../../engine/operators/index.js";
import { TopK } from "../../engine/operators/indexing/top-k.js";
import { Identity } from "../../engine/operators/layout/identity.js";
import { isFloat, tensor } from "../../engine/tensor/tensor.js";
import { twoClassLogits } from "../tasks/classes.js";
import { SpecError } from "./error.js";
import type { ModelSpec, ValueRange } from "./model-spec.js";

type Output = ModelSpec["output"];

/** What the class outputs of a model may be; binary ones have a single channel, the second class's. */
export const classMeanings = ["logits", "probabilities", "binary-logits", "binary-probabilities"] as const;

/** A map [B, H, W] or in either order of axes as float32 [B, C, H, W]. @throws SpecError */
export function mapOf(raw: Value, { output, task }: ModelSpec): Value {
  const spatial = raw.shape.length === 3 ? unsqueeze(raw, [1]) : raw;
  if (spatial.shape.length !== 4)
    throw new SpecError(
      `Output "${raw.name}" has shape [${raw.shape.join(", ")}]; ${task} needs [batch, channels, height, width].`,
    );
  return single(output.layout === "nhwc" && raw.shape.length === 4 ? transpose(spatial, [0, 3, 1, 2]) : spatial);
}

/** A map of the task's channels, unscaled and at the model's own resolution. @throws SpecError where the channels are others. */
export function valuesOf(raw: Value, spec: ModelSpec, channels: number): Value {
  const nchw = mapOf(raw, spec);
  if (nchw.shape[1] !== channels)
    throw new SpecError(`Output "${raw.name}" has ${nchw.shape[1]} channels; ${spec.task} has ${channels}.`);
  return nchw;
}

/** Displacements in pixels of the image. Coarser predictions are in their own pixels: enlarging the map enlarges the motion. */
export function displacementsOf(
  raw: Value,
  spec: ModelSpec,
  [height, width]: readonly [number, number],
  channels: number,
): Value {
  const nchw = valuesOf(raw, spec, channels);
  const factor = (spec.output.scale * width) / nchw.shape[3]!;
  return resizedTo(factor === 1 ? nchw : mul(nchw, factor), height, width);
}

/**
 * Class logits of a raw output of the given number of axes.
 *
 * Probabilities whose graph ends in the Sigmoid or Softmax that made them give the logits before it, which say the same: a probability that
 * float32 rounds to 1 has gradient 0, and attacks would pass over exactly the pixels that the model is surest of.
 *
 * @param shaped takes the output to the axes that are meant, channels second.
 */
export function logitsOf(yielded: Value, spec: ModelSpec, rank: 2 | 4, shaped: (raw: Value) => Value = (raw) => raw): Value {
  const { raw, meaning } = withoutActivation(yielded, spec.output);
  return classLogits(shaped(raw), meaning, rank);
}

function withoutActivation(raw: Value, { meaning, layout }: Pick<Output, "meaning" | "layout">): { raw: Value; meaning: string } {
  const last = raw.node;
  const [before] = last?.inputs ?? [];
  if (!last || !before) return { raw, meaning };
  if (last.operator === Identity || (last.operator === Cast && isFloat(before.type))) {
    const behind = withoutActivation(before, { meaning, layout });
    return behind.raw === before ? { raw, meaning } : behind;
  }
  if (meaning === "binary-probabilities" && last.operator === Sigmoid) return { raw: before, meaning: "binary-logits" };
  const rank = raw.shape.length;
  const classAxis = layout === "nhwc" ? rank - 1 : 1;
  if (meaning === "probabilities" && last.operator === Softmax && (Number(last.attributes.axis) + rank) % rank === classAxis)
    return { raw: before, meaning: "logits" };
  return { raw, meaning };
}

function classLogits(raw: Value, meaning: string, rank: number): Value {
  if (raw.shape.length !== rank)
    throw new SpecError(
      `Output "${raw.name}" has shape [${raw.shape.join(", ")}] where ${rank} axes were expected; name the right output, or the inner value that holds one number a class (command line: --of; specification: output.name).`,
    );
  const sorted = sortedBefore(raw);
  if (sorted)
    throw new SpecError(
      `Output "${raw.name}" holds the largest values in falling order (TopK), so that its places are no classes; name what is sorted (command line: --of ${sorted.name}; specification: output.name).`,
    );
  const binary = meaning.startsWith("binary");
  if (binary !== (raw.shape[1] === 1)) {
    throw new SpecError(
      `Output "${raw.name}" has ${raw.shape[1] === 1 ? "1 channel" : `${raw.shape[1]} channels`}, but its meaning is "${meaning}"; say ${binary ? "logits or probabilities" : "binary-logits or binary-probabilities (two classes, one channel)"}.`,
    );
  }
  const values = single(raw);
  if (meaning === "logits") return values;
  if (meaning === "binary-logits") return twoClassLogits(values);
  if (meaning === "probabilities") return log(clip(values, 1e-12, 1));
  const p = clip(values, 1e-6, 1 - 1e-6);
  return twoClassLogits(sub(log(p), log(sub(1, p))));
}

/** What TopK sorts, where `raw` is the result. */
function sortedBefore(raw: Value): Value | undefined {
  const [before] = raw.node?.inputs ?? [];
  if (raw.node?.operator === TopK) return before;
  return before && (raw.node?.operator === Identity || raw.node?.operator === Cast) ? sortedBefore(before) : undefined;
}

/** What a model yields in another floating-point type, in float32, in which losses and scores are computed. */
export const single = (x: Value): Value => (isFloat(x.type) ? cast(x, "float32") : x);

/** Bilinear, half-pixel centers: coarser maps at the image's size, as evaluation against full-size truth needs. */
export function resizedTo(x: Value, height: number, width: number): Value {
  if (x.shape[2] === height && x.shape[3] === width) return x;
  return resize(x, { sizes: [x.shape[0]!, x.shape[1]!, height, width], mode: "linear", coordinates: "half_pixel" });
}

export function toRange(x: Value, range: ValueRange): Value {
  if (range === "0..1") return x;
  if (range === "0..255") return mul(x, 255);
  if (range === "-1..1") return sub(mul(x, 2), 1);
  return div(sub(x, perChannel(x, range.mean)), perChannel(x, range.std));
}

export function fromRange(x: Value, range: ValueRange): Value {
  if (range === "0..1") return x;
  if (range === "0..255") return div(x, 255);
  if (range === "-1..1") return mul(add(x, 1), 0.5);
  return add(mul(x, perChannel(x, range.std)), perChannel(x, range.mean));
}

function perChannel(x: Value, values: readonly number[]): Value {
  if (values.length !== 1 && values.length !== x.shape[1])
    throw new SpecError(`${values.length} means or deviations were given for ${x.shape[1]} channels.`);
  return x.graph.constant(tensor("float32", [1, values.length, 1, 1], [...values]));
}

export const swapRedBlue = (x: Value): Value =>
  concat(
    [2, 1, 0].map((c) => slice(x, [c], [c + 1], { axes: [1] })),
    1,
  );
