import type { Value } from "../../graph/graph.js";
import { defineOperator, int, type Operator } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { Cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { emit, normalizeAxis } from "../emit.js";
import { IsNaN } from "../logic/is-nan.js";
import { Where, where } from "../logic/where.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { isZeros } from "../zeros.js";

/** `e^xᵢ / Σⱼ e^xⱼ` along one axis. */
export const softmax = (x: Value, axis = -1): Value => emit(Softmax, [x], { axis });

export const Softmax: Operator = defineOperator({
  name: "Softmax",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { axis: int(-1) },
  infer: ({ inputs: [x], attributes, fail }) => {
    normalizeAxis(attributes.axis, x.shape.length, fail);
    return [x];
  },
  range: within(0, 1),
  // dx = y (g - Σ g y)
  gradient: ({ inputs: [x], outputs: [output], attributes: { axis } }, [g]) => {
    const unread = unreadRows(x, g, axis < 0 ? axis + x.shape.length : axis);
    const y = unread ? unread(output) : output;
    return [mul(y, sub(g, reduceSum(mul(g, y), [axis], "keep")))];
  },
});

/**
 * Attention replaces a row of which every entry is masked, 0/0 by then: `Where(IsNaN(y), 0, y)`. Nobody reads y there, as its cotangent `g` shows,
 * and dx is 0, where the formula would multiply that 0 by NaN. Returns what puts zeros there.
 */
function unreadRows(x: Value, g: Value, axis: number): ((y: Value) => Value) | undefined {
  const { operator, inputs } = uncast(g).node ?? {};
  if (operator !== Where) return undefined;
  const [condition, a, b] = inputs as readonly [Value, Value, Value];
  if (!isZeros(a) && !isZeros(b)) return undefined;
  // A condition that differs within a row leaves entries that are part of its sum.
  const size = condition.shape.at(axis - x.shape.length) ?? 1;
  if (size > 1 && !findsNaN(condition, x, axis)) return undefined;
  return (y) => (isZeros(a) ? where(condition, 0, y) : where(condition, y, 0));
}

/** Whether it is true where the softmax of `x` is NaN, which is so in whole rows. */
function findsNaN(condition: Value, x: Value, axis: number): boolean {
  const [tested] = condition.node?.operator === IsNaN ? condition.node.inputs : [];
  const { operator, inputs, attributes } = (tested && uncast(tested).node) ?? {};
  return (
    operator === Softmax &&
    uncast(inputs![0]!) === uncast(x) &&
    (Number(attributes!.axis) + x.shape.length) % x.shape.length === axis
  );
}

function uncast(v: Value): Value {
  const [before] = v.node?.operator === Cast ? v.node.inputs : [];
  return before ? uncast(before) : v;
}
