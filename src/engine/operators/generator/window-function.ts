import type { Value, ValueType } from "../../graph/graph.js";
import { flag, int, zeroGradient } from "../../graph/operator.js";
import { constantNumbers } from "../emit.js";
import { elementType } from "./element-type.js";

/** What the windows of signal processing have in common: `size` numbers, of a period (`periodic` 1) or symmetric. */
export const windowFunction = {
  inputs: ["size"],
  outputs: ["output"],
  attributes: { output_datatype: int(1), periodic: flag(1) },
  infer: ({
    inputs: [size],
    attributes,
    fail,
  }: {
    readonly inputs: readonly [Value];
    readonly attributes: { readonly output_datatype: number };
    readonly fail: (message: string) => never;
  }): readonly ValueType[] => [
    { type: elementType(attributes.output_datatype, "float32", fail), shape: constantNumbers(size, "size", fail).slice(0, 1) },
  ],
  gradient: zeroGradient("only its length matters"),
} as const;
