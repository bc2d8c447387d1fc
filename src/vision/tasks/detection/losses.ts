import type { Value } from "../../../engine/graph/graph.js";
import {
  add,
  argMax,
  cast,
  clip,
  div,
  equal,
  max,
  min,
  mul,
  neg,
  not,
  or,
  reduceMax,
  reduceSum,
  relu,
  sigmoid,
  slice,
  softplus,
  sqrt,
  squeeze,
  stopGradient,
  sub,
  unsqueeze,
  where,
} from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { SpecError } from "../../spec/error.js";
import { crossEntropy } from "../classes.js";
import type { Alignment, PixelFunction } from "../task.js";
import { state } from "./boxes.js";

// Predictions are [B, 4 + K, N]: boxes in pixels, logits whose sigmoid is a class's score. Targets are [B, 6, N], as `assigned` makes them.

const rows = (v: Value, from: number, to: number): Value => slice(v, [from], [to], { axes: [1] });
/** One row as [B, N]. */
const row = (v: Value, k: number): Value => squeeze(rows(v, k, k + 1), [1]);
const logitsOf = (p: Value): Value => rows(p, 4, p.shape[1]!);

/** float32 [B, N], 1 where the place has this state. */
const inState = (target: Value, which: number): Value => cast(equal(row(target, 5), which), "float32");

/** Places that count: all but those in a crowd. */
export const counted: PixelFunction = (_, target) => cast(not(equal(row(target, 5), state.crowd)), "float32");

/** bool [B, K, N]: the class that a place should show. Where any class will do it is the one that it shows most. */
function wantedClass(p: Value, target: Value): Value {
  const logits = logitsOf(p);
  const classes = logits.shape[1]!;
  const numbers = p.graph.constant(
    tensor(
      "float32",
      [1, classes, 1],
      Float32Array.from({ length: classes }, (_, k) => k),
    ),
  );
  const named = equal(rows(target, 4, 5), numbers);
  const any = mul(inState(target, state.everywhere), cast(equal(row(target, 4), -1), "float32"));
  const first = equal(unsqueeze(cast(argMax(stopGradient(logits), 1, "drop"), "float32"), [1]), numbers);
  return or(named, equal(mul(cast(first, "float32"), unsqueeze(any, [1])), 1));
}

/** Intersection over union of each place's box with that of its object, [B, N]. */
function overlapWith(p: Value, target: Value): Value {
  const side = (lower: number): Value => {
    const common = sub(min(row(p, lower + 2), row(target, lower + 2)), max(row(p, lower), row(target, lower)));
    return relu(common);
  };
  const size = (v: Value): Value => mul(relu(sub(row(v, 2), row(v, 0))), relu(sub(row(v, 3), row(v, 1))));
  const common = mul(side(0), side(1));
  return div(common, clip(sub(add(size(p), size(target)), common), 1e-6));
}

/**
 * What detectors are trained by, at each place: the binary cross-entropy of all classes, Σ_k softplus(l_k) - l_y, and where there is an object 1 - IoU
 * (YOLO's and RetinaNet's kind of loss, without their weights; to raise it is TOG-untargeted of Chow et al. 2020, eq. 3). To lower it towards a
 * wish makes the wish come true.
 */
export const training: PixelFunction = (p, target, options) => {
  const logits = logitsOf(p);
  const onClass = reduceSum(where(wantedClass(p, target), logits, 0), [1], "drop");
  const classes = sub(reduceSum(softplus(logits), [1], "drop"), onClass);
  const away = mul(sub(1, overlapWith(p, target)), inState(target, state.object));
  return mul(add(classes, away), counted(p, target, options));
};

/** The surest class of each place, [B, N]. */
const surest = (p: Value): Value => reduceMax(logitsOf(p), [1], "drop");

/**
 * -Σ_k softplus(l_k) = log Π_k (1 - s_k): raised, the model sees nothing any more, what it is surest of first (after TOG-vanishing of Chow et al. 2020, eq. 4,
 * on scores in place of objectness). All classes count: where only the largest score is pressed down, another class takes its place. It does not look
 * at the target.
 */
export const vanish: PixelFunction = Object.assign(
  ((p, target, options) =>
    mul(neg(reduceSum(softplus(logitsOf(p)), [1], "drop")), counted(p, target, options))) satisfies PixelFunction,
  { goal: "untargeted" as const },
);

/**
 * -softplus(-max_k l_k) = log(largest score): raised, something is seen everywhere, and post-processing drowns in boxes (after TOG-fabrication of Chow
 * et al. 2020, eq. 5). It does not look at the target.
 */
export const flood: PixelFunction = Object.assign(
  ((p, target, options) => mul(neg(softplus(neg(surest(p)))), counted(p, target, options))) satisfies PixelFunction,
  { goal: "untargeted" as const },
);

/** The cross-entropy of the classes where there is an object: raised, it is taken for another one (TOG-mislabeling, eq. 6); lowered, for the wished one. */
export const label: PixelFunction = (p, target, options) => {
  const logits = logitsOf(p);
  if (logits.shape[1] === 1) throw new SpecError(`The loss "class" turns classes, and the model has one alone; take another.`);
  const at = inState(target, state.object);
  const y = cast(where(equal(at, 1), row(target, 4), 0), "int64");
  return mul(crossEntropy(logits, y, { ...options, ignore: [], valid: undefined }), at);
};

/** 1 - IoU where there is an object: raised, boxes leave their objects; lowered, they go where the wish has them. */
export const box: PixelFunction = (p, target) => mul(sub(1, overlapWith(p, target)), inState(target, state.object));

/** 1 where a place says what it should: its class with at least the score that counts (`scale`), or nothing with less. */
export const correct: PixelFunction = (p, target, options) => {
  const { scale } = options;
  const logits = logitsOf(p);
  const seen = cast(equal(relu(sub(Math.log(scale / (1 - scale)), surest(p))), 0), "float32");
  const first = reduceMax(logits, [1], "keep");
  const shows = reduceMax(cast(equal(where(wantedClass(p, target), logits, -1e30), first), "float32"), [1], "drop");
  const wanted = add(inState(target, state.object), inState(target, state.everywhere));
  const right = where(equal(wanted, 1), mul(shows, seen), sub(1, seen));
  return mul(right, counted(p, target, options));
};

/**
 * cos((s_1, ..., s_K, 1 - max s), onehot) of the scores s = sigmoid(l) at each place, with one more entry for "nothing": CosPGD's alignment (Agnihotri et
 * al. 2024, eq. 4) for independent scores. 1 - cos = Σ_{j≠y} v_j² / (‖v‖ (‖v‖ + v_y)).
 */
export const scoreAlignment: Alignment = {
  cosine: (p, target, options) => {
    const { hit, length } = scores(p, target);
    return mul(div(hit, length), counted(p, target, options));
  },
  complement: (p, target, options) => {
    const { hit, rest, length } = scores(p, target);
    return mul(div(rest, mul(length, add(length, hit))), counted(p, target, options));
  },
};

function scores(p: Value, target: Value) {
  const s = sigmoid(logitsOf(p));
  const named = wantedClass(p, target);
  const nothing = sub(1, reduceMax(s, [1], "drop"));
  const empty = inState(target, state.nothing);
  const squares = mul(s, s);
  const ofClass = reduceSum(where(named, s, 0), [1], "drop");
  const hit = add(ofClass, mul(empty, nothing));
  const others = reduceSum(where(named, 0, squares), [1], "drop");
  const rest = add(others, mul(sub(1, empty), mul(nothing, nothing)));
  return { hit, rest, length: clip(sqrt(add(rest, mul(hit, hit))), 1e-8) };
}
