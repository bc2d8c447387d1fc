import type { Value, ValueType } from "../../graph/graph.js";
import { defineOperator, string } from "../../graph/operator.js";
import { ofAll } from "../../graph/range.js";
import { plus, wholeNumbersOf } from "../../graph/whole-numbers.js";
import { tensor, toNumbers } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { max } from "../elementwise/max.js";
import { min } from "../elementwise/min.js";
import { sub } from "../elementwise/sub.js";
import { constantNumbers, emit, intsConstant, normalizeAxis, type Operand } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { and } from "../logic/and.js";
import { greaterOrEqual } from "../logic/greater-or-equal.js";
import { less } from "../logic/less.js";
import { where } from "../logic/where.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { zerosLike } from "../zeros.js";
import { concat } from "./concat.js";
import { elementOf } from "./element-of.js";
import { reshape } from "./reshape.js";
import { slice } from "./slice.js";

export type PadMode = "constant" | "reflect" | "edge" | "wrap";

/**
 * Adds elements before and after each axis (negative numbers remove them): `pads` lists all counts before, then all counts after.
 * `reflect` mirrors without repeating the border, `edge` repeats the border, `wrap` continues periodically. Returns `x` where all are 0.
 */
export const pad = (x: Value, pads: readonly number[], mode: PadMode = "constant", value?: Operand): Value =>
  pads.every((p) => p === 0) ? x : emit(Pad, [x, intsConstant(x.graph, pads), value], { mode });

export const Pad = defineOperator({
  name: "Pad",
  inputs: ["data", "pads", "constant_value?", "axes?"],
  outputs: ["output"],
  attributes: { mode: string("constant", ["constant", "reflect", "edge", "wrap"]) },
  flops: "none",
  infer: inferPad,
  computed: ({ inputs, attributes }) => shifted(inputs, attributes.mode ?? "constant"),
  range: ofAll(0),
  // opset 18 does not wrap
  decompose: (context) => {
    if (context.attributes.mode !== "wrap") return undefined;
    inferPad(context);
    const pads = padsPerAxis(context);
    // ONNX Runtime 1.30 removes elements first, and repeats what is left
    const kept = pad(context.inputs[0], [
      ...pads.map(([before]) => Math.min(before, 0)),
      ...pads.map(([, after]) => Math.min(after, 0)),
    ]);
    return [
      pads.reduce((x, [before, after], axis) => wrapped(x, axis, Math.max(before, 0), Math.max(after, 0), context.fail), kept),
    ];
  },
  // Padding copies elements; the cotangents of all copies of an element are summed. Constants: crop; what was cropped belongs to the value.
  gradient: (context, [g]) => {
    const { inputs, attributes, wanted } = context;
    const [x, , value] = inputs;
    const pads = padsPerAxis(context);
    if (attributes.mode === "constant") {
      const inside = cropped(g, pads);
      return [
        wanted[0] ? restored(inside, pads) : undefined,
        undefined,
        value && wanted[2] ? reshape(sub(reduceSum(g), reduceSum(inside)), value.shape) : undefined,
      ];
    }
    const total = pads.reduceRight((cotangent, [before, after], axis) => {
      return before === 0 && after === 0 ? cotangent : foldBack(cotangent, axis, x.shape[axis]!, before, attributes.mode);
    }, g);
    return [total];
  },
});

export interface PadContext {
  readonly inputs: readonly [Value, Value, Value | undefined, Value | undefined];
  readonly attributes: { readonly mode: PadMode };
  readonly fail: (message: string) => never;
}

function inferPad(context: PadContext): readonly ValueType[] {
  const { inputs, attributes, fail } = context;
  const [x, , value] = inputs;
  if (value && value.type !== x.type) fail("the constant must have the element type of the data");
  const shape = padsPerAxis(context).map(([before, after], axis) => {
    const d = x.shape[axis]!;
    const limit = attributes.mode === "reflect" ? d - 1 : Number.POSITIVE_INFINITY;
    if (attributes.mode !== "constant" && d === 0 && before + after > 0) fail(`axis ${axis} is empty; only constants can pad it`);
    if (before > Math.max(limit, 0) || after > Math.max(limit, 0))
      fail(`mode ${attributes.mode} can add at most ${limit} elements on a side of axis ${axis}`);
    return d + before + after >= 0 ? d + before + after : fail(`axis ${axis} would get a negative size`);
  });
  return [{ type: x.type, shape }];
}

/**
 * Pads that are computed when the model runs, where as many elements are added in all: `y[i] = x[i - before]` where that is inside, else the constant, or the
 * nearest element.
 */
function shifted([x, pads, value, axesInput]: PadContext["inputs"], mode: unknown): readonly Value[] | undefined {
  const numbers = wholeNumbersOf(pads);
  if (!numbers || (mode !== "constant" && mode !== "edge") || (axesInput && !axesInput.constant)) return undefined;
  const axes = axesInput ? toNumbers(axesInput.constant!) : x.shape.map((_, i) => i);
  let y = x;
  for (const [i, given] of axes.entries()) {
    const [before, after] = [numbers[i]!, numbers[i + axes.length]!];
    const axis = given < 0 ? given + x.shape.length : given;
    const size = x.shape[axis]!;
    const added = plus(before, after);
    if (!added || added.of || size === 0 || size + added.plus < 0) return undefined;
    const length = size + added.plus;
    const places = Array.from({ length }, (_, place) => place);
    const from = sub(pads.graph.constant(tensor("int64", [length], places)), elementOf(pads, i));
    const near = gather(y, max(min(from, size - 1), 0), axis);
    const inside = and(greaterOrEqual(from, 0), less(from, size));
    const along = x.shape.map((_, k) => (k === axis ? length : 1));
    y = mode === "edge" ? near : where(reshape(inside, along), near, value ? reshape(value, []) : 0);
  }
  return [y];
}

/** [before, after] for each axis. */
export function padsPerAxis({ inputs, fail }: Pick<PadContext, "inputs" | "fail">): (readonly [number, number])[] {
  const [x, padsInput, , axesInput] = inputs;
  const pads = constantNumbers(padsInput, "pads", fail);
  const axes = (axesInput ? constantNumbers(axesInput, "axes", fail) : x.shape.map((_, i) => i)).map((a) =>
    normalizeAxis(a, x.shape.length, fail),
  );
  if (pads.length !== 2 * axes.length) fail(`it has ${pads.length} pads for ${axes.length} axes; two for each are needed`);
  return x.shape.map((_, axis) => {
    const i = axes.indexOf(axis);
    return i < 0 ? [0, 0] : [pads[i]!, pads[i + axes.length]!];
  });
}

/** Position p of the result, from -before to size + after, is position p mod size of `x`: whole copies of `x`, the first and last cut. */
function wrapped(x: Value, axis: number, before: number, after: number, fail: (message: string) => never): Value {
  if (before === 0 && after === 0) return x;
  const size = x.shape[axis]!;
  if (size === 0) fail(`nothing is left of axis ${axis} that could be repeated`);
  const parts: Value[] = [];
  for (let start = -before; start < size + after; ) {
    const from = ((start % size) + size) % size;
    const until = Math.min(size, from + size + after - start);
    parts.push(from === 0 && until === size ? x : slice(x, [from], [until], { axes: [axis] }));
    start += until - from;
  }
  return concat(parts, axis);
}

/** The part of a padded tensor that comes from the data. */
function cropped(g: Value, pads: readonly (readonly [number, number])[]): Value {
  const axes = pads.flatMap(([before, after], axis) => (before > 0 || after > 0 ? [axis] : []));
  if (axes.length === 0) return g;
  const starts = axes.map((a) => Math.max(0, pads[a]![0]));
  const ends = axes.map((a) => g.shape[a]! - Math.max(0, pads[a]![1]));
  return slice(g, starts, ends, { axes });
}

/** Zeros where negative pads removed elements. */
function restored(g: Value, pads: readonly (readonly [number, number])[]): Value {
  return pad(g, [...pads.map(([before]) => Math.max(0, -before)), ...pads.map(([, after]) => Math.max(0, -after))]);
}

/**
 * Sums the cotangents of all copies along one axis: the output's positions fall into runs whose sources go up, down or stay; each run is
 * one Slice, turned round or summed, and put in its place by a Pad.
 */
function foldBack(g: Value, axis: number, size: number, before: number, mode: PadMode): Value {
  const source = (i: number): number => {
    const p = i - before;
    if (mode === "edge") return Math.min(Math.max(p, 0), size - 1);
    return p < 0 ? -p : p >= size ? 2 * (size - 1) - p : p;
  };
  const parts: Value[] = [];
  const length = g.shape[axis]!;
  for (let start = 0; start < length; ) {
    const direction = start + 1 < length ? source(start + 1) - source(start) : 1;
    let end = start + 1;
    while (Math.abs(direction) <= 1 && end < length && source(end) - source(end - 1) === direction) end++;
    const run = slice(g, [start], [end], { axes: [axis] });
    const [part, first] =
      direction === 0
        ? [reduceSum(run, [axis], "keep"), source(start)]
        : direction === -1 && end > start + 1
          ? [slice(run, [-1], [Number.NEGATIVE_INFINITY], { axes: [axis], steps: [-1] }), source(end - 1)]
          : [run, source(start)];
    const pads = [...g.shape.map(() => 0), ...g.shape.map(() => 0)];
    pads[axis] = first;
    pads[axis + g.shape.length] = size - first - part.shape[axis]!;
    parts.push(pad(part, pads));
    start = end;
  }
  const shape = g.shape.map((d, i) => (i === axis ? size : d));
  return parts.length === 0 ? zerosLike(g, shape) : parts.reduce((sum, part) => add(sum, part));
}
