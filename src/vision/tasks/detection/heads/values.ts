import { Ranges } from "../../../../engine/compile/ranges.js";
import type { Value } from "../../../../engine/graph/graph.js";
import { Sigmoid } from "../../../../engine/operators/activation/sigmoid.js";
import { Softmax } from "../../../../engine/operators/activation/softmax.js";
import { Cast } from "../../../../engine/operators/elementwise/cast.js";
import {
  add,
  clip,
  concat,
  exp,
  log,
  matMul,
  mul,
  reduceMax,
  sigmoid,
  slice,
  softmax,
  stopGradient,
  sub,
  transpose,
  unsqueeze,
} from "../../../../engine/operators/index.js";
import { Concat } from "../../../../engine/operators/layout/concat.js";
import { Identity } from "../../../../engine/operators/layout/identity.js";
import { Transpose } from "../../../../engine/operators/layout/transpose.js";
import { DequantizeLinear } from "../../../../engine/operators/quantization/dequantize-linear.js";
import { QuantizeLinear } from "../../../../engine/operators/quantization/quantize-linear.js";
import { isFloat, tensor } from "../../../../engine/tensor/tensor.js";
import type { BoxForm } from "../../../spec/model-spec.js";
import { single } from "../../../spec/output.js";
import { boxMeanings } from "../box-meanings.js";

// What the heads share.

/** Entries `from` to `to` along an axis; where the value is joined of parts along it and a part is what is meant, the part itself. */
export function partOf(joined: Value, axis: number, from: number, to: number): Value {
  const v = behind(joined);
  const { node } = v;
  const rank = v.shape.length;
  if (node?.operator === Concat && (Number(node.attributes.axis) + rank) % rank === axis) {
    let start = 0;
    for (const part of node.inputs) {
      const end = start + part!.shape[axis]!;
      if (start === from && end === to) return part!;
      if (start <= from && to <= end) return partOf(part!, axis, from - start, to - start);
      start = end;
    }
  }
  return from === 0 && to === v.shape[axis] ? v : slice(v, [from], [to], { axes: [axis] });
}

/** Before what changes no number: Identity, and casts between floating-point types. */
export function behind(v: Value): Value {
  const [before] = v.node?.inputs ?? [];
  if (!before) return v;
  return v.node!.operator === Identity || (v.node!.operator === Cast && isFloat(before.type)) ? behind(before) : v;
}

export interface Activation {
  readonly kind: "sigmoid" | "softmax" | "none";
  readonly before: Value;
  /** Whether the result was rounded to 8 bits: then it is what the model says, and not what lies before. */
  readonly rounded: boolean;
}

/** What made a value in the end: a Sigmoid, a Softmax over its last axis, or neither. */
export function activationOf(v: Value): Activation {
  const read = behind(v);
  const exact = beforeRounding(read);
  const last = exact ?? read;
  const rounded = exact !== undefined;
  const [before] = last.node?.inputs ?? [];
  if (before && last.node!.operator === Sigmoid) return { kind: "sigmoid", before, rounded };
  const rank = last.shape.length;
  if (before && last.node!.operator === Softmax && (Number(last.node!.attributes.axis) + rank) % rank === rank - 1)
    return { kind: "softmax", before, rounded };
  return { kind: "none", before: read, rounded: false };
}

/** What DequantizeLinear gives back of what QuantizeLinear rounded. */
function beforeRounding({ node }: Value): Value | undefined {
  const stored = node?.operator === DequantizeLinear ? node.inputs[0]?.node : undefined;
  return stored?.operator === QuantizeLinear ? behind(stored.inputs[0]!) : undefined;
}

/** Whether a value can only be from 0 to 1, as a probability is, whatever made it; a logit can be anything. */
export function isProbability(v: Value): boolean {
  const range = new Ranges(v.graph).range(v);
  // 255 steps of 1 / 255 are a little more than 1.
  return range !== undefined && range.low >= 0 && range.high <= 1.001;
}

/** ln(p / (1 - p)), for probabilities whose logits are not to be had. A probability that float32 rounds to 1 keeps a logit of 16. */
export function logitOf(p: Value): Value {
  const inside = clip(single(p), 1e-12, 1 - 2 ** -23);
  return sub(log(inside), log(sub(1, inside)));
}

/** Logits of independent scores: what lies before their Sigmoid, or the logarithm of the odds of probabilities (`values` that are said to be, or can be nothing else), or the values themselves. */
export function independent(v: Value, values: "logits" | "probabilities"): Value {
  const { kind, before, rounded } = activationOf(v);
  if (kind === "sigmoid" && !rounded) return single(before);
  return values === "probabilities" || isProbability(v) ? logitOf(v) : single(v);
}

/**
 * Scores [B, N, C] of which one class takes what another leaves (a softmax over the last axis, of which `v` may be the result or the logits), as logits
 * of independent ones: p_k = softmax(z)_k = sigmoid(z_k - ln Σ_{j≠k} e^{z_j}). The sums over the others are a product with 1 - I, so that no
 * digit is lost where one class has nearly everything.
 */
export function exclusive(v: Value): Value {
  const { kind, before, rounded } = activationOf(v);
  const exact = kind === "softmax" && !rounded;
  const z = exact ? single(before) : isProbability(v) ? log(clip(single(v), 1e-12, 1)) : single(v);
  const classes = z.shape.at(-1)!;
  const largest = stopGradient(reduceMax(z, [z.shape.length - 1], "keep"));
  const others = z.graph.constant(
    tensor(
      "float32",
      [classes, classes],
      Float32Array.from({ length: classes * classes }, (_, i) => (i % classes === Math.floor(i / classes) ? 0 : 1)),
    ),
  );
  const rest = matMul(exp(sub(z, largest)), others);
  return sub(sub(z, largest), log(clip(rest, 1e-30)));
}

/** Scores [B, C, N] as [B, N, C], with what made them still to be seen: what they were transposed from, or the softmax over the classes there. */
export function classesLast(v: Value): Value {
  const { node } = behind(v);
  const [before] = node?.inputs ?? [];
  if (before && node?.operator === Transpose && String(node.attributes.perm) === "0,2,1") return before;
  const swapped = (x: Value) => transpose(x, [0, 2, 1]);
  if (before && node?.operator === Softmax && Number(node.attributes.axis) === 1) return softmax(swapped(before), 2);
  return before && node?.operator === Sigmoid ? sigmoid(swapped(before)) : swapped(v);
}

/** [B, N, C] or [N, C] as [B, C, N]. */
export const placesLast = (v: Value): Value => transpose(v.shape.length === 2 ? unsqueeze(v, [0]) : v, [0, 2, 1]);

/**
 * Boxes [B, 4, N] as corners in pixels of a picture of this size, cut at its edges.
 *
 * @param form what the four numbers are.
 */
export function cornersOf(boxes: Value, form: BoxForm, [height, width]: readonly [number, number]): Value {
  const four = single(boxes);
  const row = (k: number) => slice(four, [k], [k + 1], { axes: [1] });
  const [a, b, c, d] = [row(0), row(1), row(2), row(3)];
  const halves = [mul(c, 0.5), mul(d, 0.5)] as const;
  const { numbers, unit } = boxMeanings[form];
  const corners =
    numbers === "center and sides" ? [sub(a, halves[0]), sub(b, halves[1]), add(a, halves[0]), add(b, halves[1])] : [a, b, c, d];
  const [x, y] = unit === "shares" ? [width, height] : [1, 1];
  const inPixels = corners.map((v, k) => {
    const scale = k % 2 === 0 ? x : y;
    return clip(scale === 1 ? v : mul(v, scale), 0, k % 2 === 0 ? width : height);
  });
  return concat(inPixels, 1);
}
