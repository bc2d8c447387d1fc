import type { Attribute } from "../../onnx/model.js";
import { node, type SmallModel } from "../../onnx/testing/small-model.js";
import { allocate, type DataType, sizeOf, type Tensor, tensor } from "../../tensor/tensor.js";

/** For tests: one model for each conversion. ONNX Runtime runs it as it stands and as converted, and the two must agree. */
export interface ConversionCase extends SmallModel {
  readonly name: string;
  /** Operators that must not be left. */
  readonly gone?: readonly string[];
  /** Largest difference allowed, absolute and in proportion; default 1e-6. Quantized outputs may differ by one step. */
  readonly tolerance?: number;
}

export const image: SmallModel["inputs"] = { x: ["float32", [1, 4, 6, 5]] };
export const y = { y: "float32" } as const;
export const floats = (value: readonly number[]): Attribute => ({ kind: "floats", value });
export const int64 = (...values: number[]) => tensor("int64", [values.length], values.map(BigInt));
export const f32 = (shape: readonly number[], values?: readonly number[]): Tensor =>
  tensor("float32", shape, values ?? Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1.7 * i + 0.4)));
export const positive = (n: number): Tensor =>
  f32(
    [n],
    Array.from({ length: n }, (_, i) => 0.5 + 0.3 * i),
  );
/** Signed ones have 7 bits: with 8, ONNX Runtime's sums of products with unsigned ones saturate on processors without VNNI (docs/operators.md). */
export const bytes = (type: DataType, shape: readonly number[]): Tensor => {
  const data = allocate(type, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = type === "int8" ? ((i * 73) % 127) - 63 : (i * 73) % 200;
  return { type, shape, data };
};
export const s = (value: number): Tensor => f32([], [value]);
export const u8 = (value: number) => tensor("uint8", [], [value]);
export const i8 = (value: number) => tensor("int8", [], [value]);

/** A model of one node from x (and further constants) to y. */
export function single(
  name: string,
  opset: number,
  op: string,
  rest: string,
  attributes: Record<string, Attribute>,
  more: Partial<ConversionCase> = {},
): ConversionCase {
  return { name, opset, inputs: image, outputs: y, nodes: [node(op, `x ${rest}`, "y", attributes)], ...more };
}
