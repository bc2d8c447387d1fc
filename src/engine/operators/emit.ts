import { type Graph, GraphError, type Value, type ValueType } from "../graph/graph.js";
import type { Attributes, Fail, Operator } from "../graph/operator.js";
import { type DataType, type Shape, sameShape, tensor, toNumbers } from "../tensor/tensor.js";

/** What builder functions take: a value, or a number that becomes a scalar constant of the other operand's type. */
export type Operand = Value | number;

/** Adds a node with one output and returns it. Numbers among the inputs take the element type of the first value. */
export function emit(operator: Operator, inputs: readonly (Operand | undefined)[], attributes: Attributes = {}): Value {
  return emitAll(operator, inputs, attributes, 1)[0]!;
}

/** Adds a node with `outputCount` outputs. */
export function emitAll(
  operator: Operator,
  inputs: readonly (Operand | undefined)[],
  attributes: Attributes,
  outputCount: number,
): readonly Value[] {
  const like = inputs.find((v): v is Value => v !== undefined && typeof v !== "number");
  if (!like) throw new GraphError(`${operator.name}: at least one operand must be a value of a graph, not a number.`);
  return like.graph.add(
    operator,
    inputs.map((v) => (typeof v === "number" ? scalar(like.graph, v, like.type) : v)),
    attributes,
    { outputCount },
  );
}

/** A scalar constant. */
export function scalar(graph: Graph, value: number, type: DataType): Value {
  return graph.constant(tensor(type, [], [value]));
}

/** A one-dimensional int64 constant, as axes, shapes and pads are given since opset 13. */
export function intsConstant(graph: Graph, values: readonly number[]): Value {
  return graph.constant(tensor("int64", [values.length], values));
}

/** The numbers of a constant operand; fails where the operand is computed at run time. */
export function constantNumbers(value: Value, role: string, fail: Fail): number[] {
  const t = value.constant;
  if (!t) return fail(`its ${role} must be constant, but "${value.name}" is computed at run time`, "data");
  return toNumbers(t);
}

// ---- shape rules that many operators share --------------------------------------------------------------------------------------

/** The output has the type and shape of the first input. */
export const sameAsInput = ({ inputs }: { inputs: readonly [Value, ...unknown[]] }): readonly ValueType[] => [inputs[0]];

/** A node that leaves its first input's type and shape as they are does nothing: its output is that input. */
export const idleWhereSame = ({
  inputs: [x],
  outputs: [y],
}: {
  inputs: readonly (Value | undefined)[];
  outputs: readonly Value[];
}): readonly Value[] | undefined => (x && y && x.type === y.type && sameShape(x.shape, y.shape) ? [x] : undefined);

/** NumPy broadcasting of all inputs; the element type is that of the first. */
export function broadcastInputs({
  inputs,
  fail,
}: {
  inputs: readonly (Value | undefined)[];
  fail: (m: string) => never;
}): readonly ValueType[] {
  const values = inputs.filter((v) => v !== undefined);
  for (const v of values) if (v.type !== values[0]!.type) fail("all inputs must have one element type");
  return [
    {
      type: values[0]!.type,
      shape: broadcastShapes(
        values.map((v) => v.shape),
        fail,
      ),
    },
  ];
}

export function broadcastShapes(shapes: readonly Shape[], fail: (m: string) => never): Shape {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const s of shapes) {
      const d = s[s.length - rank + axis] ?? 1;
      if (d === 1 || d === size) continue;
      if (size !== 1) fail("the shapes cannot be broadcast to each other");
      size = d;
    }
    return size;
  });
}

/** A non-negative axis; fails outside [-rank, rank). */
export function normalizeAxis(axis: number, rank: number, fail: (m: string) => never): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= Math.max(rank, 1))
    return fail(`axis ${axis} is outside a tensor of rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}
