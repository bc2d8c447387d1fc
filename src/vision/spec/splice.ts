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
  reduceMean,
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
import { type ModelSpec, SpecError, type ValueRange } from "./model-spec.js";

/** From an image in [0, 1], RGB, NCHW to what the model eats. */
export function preprocess(image: Value, spec: ModelSpec): Value {
  const ordered = spec.channels === "gray" ? luma(image) : spec.channels === "bgr" ? swapRedBlue(image) : image;
  // Mean and deviation are given in the model's own channel order.
  const ranged = toRange(ordered, spec.range);
  return spec.layout === "nhwc" ? transpose(ranged, [0, 2, 3, 1]) : ranged;
}

/**
 * From a model's raw output to the task's canonical prediction, at the image's size.
 *
 * @param size height and width of the input image: coarser class maps and flows are resized to it (bilinear, half-pixel centers), as evaluation
 *   against full-size ground truth needs.
 * @throws SpecError when the output cannot be what the specification says.
 */
export function postprocess(yielded: Value, given: ModelSpec, [height, width]: readonly [number, number]): Value {
  const { raw, spec } = withoutActivation(yielded, given);
  const { output, task } = spec;
  if (task === "classification") return classLogits(raw, spec, 2);
  const spatial = raw.shape.length === 3 ? unsqueeze(raw, [1]) : raw;
  if (spatial.shape.length !== 4)
    throw new SpecError(
      `Output "${raw.name}" has shape [${raw.shape.join(", ")}]; ${task} needs [batch, channels, height, width].`,
    );
  const nchw = single(output.layout === "nhwc" && raw.shape.length === 4 ? transpose(spatial, [0, 3, 1, 2]) : spatial);
  if (task === "segmentation") return resizeTo(classLogits(nchw, spec, 4), height, width);
  if (task === "restoration") {
    const channels = output.channels === "gray" ? 1 : 3;
    if (nchw.shape[1] !== channels)
      throw new SpecError(
        `Output "${raw.name}" has ${nchw.shape[1]} channels; ${output.channels === "gray" ? "a gray restored image has 1" : "restoration has 3 (1 where output.channels is gray)"}. Is it another task, another output (output.name) or the other layout?`,
      );
    const ranged = fromRange(output.channels === "bgr" ? swapRedBlue(nchw) : nchw, output.range);
    const image = output.channels === "gray" ? concat([ranged, ranged, ranged], 1) : ranged;
    if (image.shape[2] !== height || image.shape[3] !== width) {
      throw new SpecError(
        `The restored image is ${image.shape[3]}x${image.shape[2]} for an input of ${width}x${height}; restoration keeps the size.`,
      );
    }
    return image;
  }
  const channels = task === "flow" ? 2 : 1;
  if (nchw.shape[1] !== channels)
    throw new SpecError(`Output "${raw.name}" has ${nchw.shape[1]} channels; ${task} has ${channels}.`);
  // Coarser predictions are in their own pixels: enlarging the map enlarges the motion.
  const enlarged = width / nchw.shape[3]!;
  return resizeTo(output.scale * enlarged === 1 ? nchw : mul(nchw, output.scale * enlarged), height, width);
}

/**
 * Probabilities whose graph ends in the Sigmoid or Softmax that made them: the logits before it, which say the same. A probability that float32
 * rounds to 1 has gradient 0, and attacks would pass over exactly the pixels that the model is surest of.
 */
function withoutActivation(raw: Value, spec: ModelSpec): { raw: Value; spec: ModelSpec } {
  const { meaning, layout } = spec.output;
  const asLogits = (logits: Value, now: "logits" | "binary-logits") => ({
    raw: logits,
    spec: { ...spec, output: { ...spec.output, meaning: now } },
  });
  if (spec.task !== "classification" && spec.task !== "segmentation") return { raw, spec };
  const last = raw.node;
  const [before] = last?.inputs ?? [];
  if (!last || !before) return { raw, spec };
  if (last.operator === Identity || (last.operator === Cast && isFloat(before.type))) {
    const behind = withoutActivation(before, spec);
    return behind.raw === before ? { raw, spec } : behind;
  }
  if (meaning === "binary-probabilities" && last.operator === Sigmoid) return asLogits(before, "binary-logits");
  const rank = raw.shape.length;
  const classAxis = layout === "nhwc" ? rank - 1 : 1;
  if (meaning === "probabilities" && last.operator === Softmax && (Number(last.attributes.axis) + rank) % rank === classAxis)
    return asLogits(before, "logits");
  return { raw, spec };
}

function classLogits(raw: Value, { output }: ModelSpec, rank: number): Value {
  if (raw.shape.length !== rank)
    throw new SpecError(
      `Output "${raw.name}" has shape [${raw.shape.join(", ")}] where ${rank} axes were expected; name the right output, or the inner value that holds one number a class (command line: --of; specification: output.name).`,
    );
  const sorted = sortedBefore(raw);
  if (sorted)
    throw new SpecError(
      `Output "${raw.name}" holds the largest values in falling order (TopK), so that its places are no classes; name what is sorted (command line: --of ${sorted.name}; specification: output.name).`,
    );
  const binary = output.meaning.startsWith("binary");
  if (binary !== (raw.shape[1] === 1)) {
    throw new SpecError(
      `Output "${raw.name}" has ${raw.shape[1] === 1 ? "1 channel" : `${raw.shape[1]} channels`}, but its meaning is "${output.meaning}"; say ${binary ? "logits or probabilities" : "binary-logits or binary-probabilities (two classes, one channel)"}.`,
    );
  }
  const values = single(raw);
  if (output.meaning === "logits") return values;
  if (output.meaning === "binary-logits") return twoClassLogits(values);
  if (output.meaning === "probabilities") return log(clip(values, 1e-12, 1));
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

function resizeTo(x: Value, height: number, width: number): Value {
  if (x.shape[2] === height && x.shape[3] === width) return x;
  return resize(x, { sizes: [x.shape[0]!, x.shape[1]!, height, width], mode: "linear", coordinates: "half_pixel" });
}

function toRange(x: Value, range: ValueRange): Value {
  if (range === "0..1") return x;
  if (range === "0..255") return mul(x, 255);
  if (range === "-1..1") return sub(mul(x, 2), 1);
  return div(sub(x, perChannel(x, range.mean)), perChannel(x, range.std));
}

function fromRange(x: Value, range: ValueRange): Value {
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

const swapRedBlue = (x: Value): Value =>
  concat(
    [2, 1, 0].map((c) => slice(x, [c], [c + 1], { axes: [1] })),
    1,
  );

/** ITU-R BT.601: .299 R + .587 G + .114 B, for models that take one gray channel. */
function luma(x: Value): Value {
  if (x.shape[1] === 1) return x;
  const weights = x.graph.constant(tensor("float32", [1, 3, 1, 1], [0.299, 0.587, 0.114]));
  return mul(reduceMean(mul(x, weights), [1], "keep"), 3);
}
