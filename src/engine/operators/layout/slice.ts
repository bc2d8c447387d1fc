import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { minus, wholeNumbersOf } from "../../graph/whole-numbers.js";
import { numberAt, tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { constantNumbers, emit, intsConstant, normalizeAxis } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { and } from "../logic/and.js";
import { greaterOrEqual } from "../logic/greater-or-equal.js";
import { less } from "../logic/less.js";
import { lessOrEqual } from "../logic/less-or-equal.js";
import { or } from "../logic/or.js";
import { where } from "../logic/where.js";
import { zerosLike } from "../zeros.js";
import { elementOf } from "./element-of.js";
import { pad } from "./pad.js";
import { reshape } from "./reshape.js";

/**
 * `x[starts:ends:steps]` on the given axes (default: the first ones) with NumPy's rules: negative positions count from the end, positions
 * outside are clamped, negative steps run backwards. Use `Infinity` and `-Infinity` for "to the very end".
 */
export const slice = (
  x: Value,
  starts: readonly number[],
  ends: readonly number[],
  options: { readonly axes?: readonly number[]; readonly steps?: readonly number[] } = {},
): Value => {
  const list = (values: readonly number[]) => intsConstant(x.graph, values.map(clampToInt32));
  const axes = options.axes ?? starts.map((_, i) => i);
  return emit(Slice, [x, list(starts), list(ends), list(axes), options.steps && list(options.steps)]);
};

export const Slice = defineOperator({
  name: "Slice",
  inputs: ["data", "starts", "ends", "axes?", "steps?"],
  outputs: ["output"],
  flops: "none",
  infer: (context) => {
    const [x] = context.inputs;
    const shape = [...x.shape];
    for (const { axis, count } of slicedAxes(context)) shape[axis] = count;
    return [{ type: x.type, shape }];
  },
  computed: ({ inputs }) => windowed(inputs),
  range: ofFirst,
  // zeros where nothing was taken: steps are undone by inserting zeros, backward ones by reversing, and what lies outside is padded
  gradient: (context, [g]) => {
    const x = context.inputs[0];
    if (g.shape.includes(0)) return [zerosLike(x)];
    const before = x.shape.map(() => 0);
    const after = x.shape.map(() => 0);
    let spread = g;
    for (const { axis, start, step, count } of slicedAxes(context)) {
      if (step < 0) spread = slice(spread, [-1], [Number.NEGATIVE_INFINITY], { axes: [axis], steps: [-1] });
      const stride = count === 1 ? 1 : Math.abs(step);
      spread = insertZeros(spread, axis, stride);
      before[axis] = step < 0 ? start + (count - 1) * step : start;
      after[axis] = x.shape[axis]! - before[axis]! - count * stride;
    }
    return [pad(spread, [...before, ...after])];
  },
});

/**
 * Slices from places that are computed when the model runs, of lengths that are not: entries `start, start + step, ...` are gathered. Where a window does not lie
 * inside, a Slice would be shorter; a place outside makes ONNX Runtime say so.
 */
function windowed([x, starts, ends, axes, steps]: readonly [Value, Value, Value, Value | undefined, Value | undefined]):
  | readonly Value[]
  | undefined {
  const [from, to] = [wholeNumbersOf(starts), wholeNumbersOf(ends)];
  if (!from || !to || from.length !== to.length || (axes && !axes.constant) || (steps && !steps.constant)) return undefined;
  let y = x;
  for (const [i, first] of from.entries()) {
    const axis = axes ? numberAt(axes.constant!, i) : i;
    const step = steps ? numberAt(steps.constant!, i) : 1;
    const end = to[i]!;
    if (!first.of && !end.of) {
      y = slice(y, [first.plus], [end.plus], { axes: [axis], steps: [step] });
      continue;
    }
    const distance = minus(end, first);
    const size = x.shape.at(axis);
    if (!distance || distance.of || size === undefined || distance.plus <= 0 || step <= 0) return undefined;
    const length = distance.plus;
    const at = elementOf(starts, i);
    const places = at.graph.constant(
      tensor(
        at.type,
        [Math.ceil(length / step)],
        Array.from({ length: Math.ceil(length / step) }, (_, k) => k * step),
      ),
    );
    const behind = add(at, length);
    const inside = or(and(greaterOrEqual(at, 0), lessOrEqual(behind, size)), and(greaterOrEqual(at, -size), less(behind, 0)));
    y = gather(y, where(inside, add(at, places), size), axis);
  }
  return [y];
}

interface SlicedAxis {
  readonly axis: number;
  /** The first position taken. */
  readonly start: number;
  readonly step: number;
  /** How many positions are taken. */
  readonly count: number;
}

/** What a Slice node takes, axis by axis, after clamping. */
export function slicedAxes(context: {
  readonly inputs: readonly [Value, Value, Value, Value | undefined, Value | undefined];
  readonly fail: (message: string) => never;
}): SlicedAxis[] {
  const { fail } = context;
  const [x, startsInput, endsInput, axesInput, stepsInput] = context.inputs;
  const starts = constantNumbers(startsInput, "starts", fail);
  const ends = constantNumbers(endsInput, "ends", fail);
  const axes = axesInput ? constantNumbers(axesInput, "axes", fail) : starts.map((_, i) => i);
  const steps = stepsInput ? constantNumbers(stepsInput, "steps", fail) : starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    fail("starts, ends, axes and steps must have one length");
  const seen = new Set<number>();
  return axes.map((given, i) => {
    const axis = normalizeAxis(given, x.shape.length, fail);
    if (seen.has(axis)) fail(`axis ${axis} is named twice`);
    seen.add(axis);
    const size = x.shape[axis] ?? fail("a scalar cannot be sliced");
    const step = steps[i]!;
    if (step === 0) fail("a step must not be 0");
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const clamp = (p: number) => Math.min(Math.max(p < 0 ? p + size : p, low), high);
    const start = step > 0 ? clamp(starts[i]!) : Math.max(clamp(starts[i]!), Math.min(0, high));
    const count = Math.max(0, Math.ceil((clamp(ends[i]!) - start) / step));
    return { axis, start, step, count };
  });
}

/** Follows each element along the axis by `stride - 1` zeros. */
function insertZeros(x: Value, axis: number, stride: number): Value {
  if (stride === 1) return x;
  const apart = reshape(x, [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)]);
  const after = apart.shape.map((_, i) => (i === axis + 1 ? stride - 1 : 0));
  const padded = pad(apart, [...after.map(() => 0), ...after]);
  return reshape(
    padded,
    x.shape.map((d, i) => (i === axis ? d * stride : d)),
  );
}

const clampToInt32 = (p: number): number => Math.min(Math.max(p, -(2 ** 31) + 1), 2 ** 31 - 1);
