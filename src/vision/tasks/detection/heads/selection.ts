import type { Value } from "../../../../engine/graph/graph.js";
import { Cast } from "../../../../engine/operators/elementwise/cast.js";
import { transpose } from "../../../../engine/operators/index.js";
import { Gather } from "../../../../engine/operators/indexing/gather.js";
import { GatherElements } from "../../../../engine/operators/indexing/gather-elements.js";
import { GatherND } from "../../../../engine/operators/indexing/gather-nd.js";
import { TopK } from "../../../../engine/operators/indexing/top-k.js";
import { Flatten } from "../../../../engine/operators/layout/flatten.js";
import { Identity } from "../../../../engine/operators/layout/identity.js";
import { Reshape } from "../../../../engine/operators/layout/reshape.js";
import { Slice } from "../../../../engine/operators/layout/slice.js";
import { Split } from "../../../../engine/operators/layout/split.js";
import { Squeeze } from "../../../../engine/operators/layout/squeeze.js";
import { Transpose } from "../../../../engine/operators/layout/transpose.js";
import { Unsqueeze } from "../../../../engine/operators/layout/unsqueeze.js";
import { isFloat } from "../../../../engine/tensor/tensor.js";
import { partOf } from "./values.js";

/** What takes elements of its first input as they are, some of them or all, in another order or form. */
const carriers: ReadonlySet<unknown> = new Set<unknown>([
  ...[Cast, Flatten, Gather, GatherElements, GatherND, Identity, Reshape, Slice, Split, Squeeze, TopK, Transpose, Unsqueeze],
]);

/** A value and what it was taken out of, step by step. */
function takenFrom(v: Value): Value[] {
  const path = [v];
  for (let { node } = v; node && carriers.has(node.operator); { node } = path.at(-1)!) {
    const [data] = node.inputs;
    if (!data || !isFloat(data.type)) break;
    path.push(data);
  }
  return path;
}

/**
 * What the best places were chosen out of: boxes [B, N, 4] and scores [B, N, K], in the same order. A graph that ends in the choice of the surest places (TopK over scores
 * of all places and classes, and Gather of their boxes) still holds all of them, and of these every score has a gradient.
 *
 * @param chosen [B, n, 6]: box, score, class. @returns undefined where the way back is another one.
 */
export function beforeSelection(chosen: Value): { readonly boxes: Value; readonly scores: Value } | undefined {
  const boxes = takenFrom(partOf(chosen, 2, 0, 4)).findLast(({ shape }) => shape.length === 3 && shape[2] === 4);
  const path = takenFrom(partOf(chosen, 2, 4, 5));
  // The last choice by score is the first on the way back.
  const first = path.findIndex(({ node }) => node?.operator === TopK);
  if (!boxes || first < 0) return undefined;
  const places = boxes.shape[1]!;
  const rows = path.slice(first + 1).filter(({ shape }) => shape.length === 3 && shape[1] === places);
  const scores = rows.filter(({ shape }) => shape[2] === rows[0]!.shape[2]).at(-1);
  return scores && { boxes, scores };
}

/** Columns of rows [B, N, C] as [B, columns, N]; of rows that were transposed from [B, C, N], the part there, so that what made it is still to be seen. */
export function columnsFirst(v: Value): Value {
  const { node } = v;
  const [joined] = node?.inputs ?? [];
  const range = joined && lastAxisRange(v);
  if (range && joined.node?.operator === Transpose && String(joined.node.attributes.perm) === "0,2,1")
    return partOf(joined.node.inputs[0]!, 1, range[0], range[1]);
  return transpose(v, [0, 2, 1]);
}

/** Which entries of the last axis of its input a Split or Slice of [B, N, C] gives. */
function lastAxisRange(v: Value): readonly [from: number, to: number] | undefined {
  const { node } = v;
  const size = v.shape[2]!;
  if (node?.operator === Split && [2, -1].includes(Number(node.attributes.axis))) {
    const before = node.outputs.slice(0, node.outputs.indexOf(v));
    const from = before.reduce((sum, part) => sum + part.shape[2]!, 0);
    return [from, from + size];
  }
  if (node?.operator !== Slice) return undefined;
  const [, starts, , axes, steps] = node.inputs.map((input) => input?.constant && Array.from(input.constant.data, Number));
  const at = axes?.length === 1 ? axes[0] : undefined;
  if ((at !== 2 && at !== -1) || starts?.length !== 1 || (steps?.[0] ?? 1) !== 1) return undefined;
  const whole = node.inputs[0]!.shape[2]!;
  const from = starts[0]! < 0 ? whole + starts[0]! : starts[0]!;
  return [from, from + size];
}
