import { defineOperator, flag, int, notDifferentiable } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { normalizeAxis } from "../emit.js";

export const Unique = defineOperator({
  name: "Unique",
  inputs: ["X"],
  outputs: ["Y", "indices?", "inverse_indices?", "counts?"],
  integers: { "indices?": "positions", "inverse_indices?": "positions", "counts?": "positions" },
  attributes: { axis: int(), sorted: flag(1) },
  infer: ({ inputs: [x], attributes, fail }) => {
    if (!x.constant) fail("how many entries differ is known at run time only, so its outputs have no fixed shape", "data");
    const { data } = x.constant!;
    const axis = attributes.axis === undefined ? undefined : normalizeAxis(attributes.axis, x.shape.length, fail);
    const size = axis === undefined ? data.length : x.shape[axis]!;
    const inner = axis === undefined ? 1 : sizeOf(x.shape.slice(axis + 1));
    const entries: string[][] = Array.from({ length: size }, () => []);
    for (let i = 0; i < data.length; i++) entries[Math.floor(i / inner) % size]!.push(String(data[i]));
    const count = new Set(entries.map((e) => e.join())).size;
    return [
      { type: x.type, shape: axis === undefined ? [count] : x.shape.map((d, i) => (i === axis ? count : d)) },
      { type: "int64", shape: [count] },
      { type: "int64", shape: [size] },
      { type: "int64", shape: [count] },
    ];
  },
  gradient: notDifferentiable("which entries are kept depends on their values"),
});
