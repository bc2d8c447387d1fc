import { type Tensor, tensor } from "../tensor/tensor.js";
import type { Attribute, OnnxNode } from "./model.js";

/** INT64_MAX, "to the end" of a Slice, was rounded up to 2^63 when it became a number: it saturates. */
export function int64Tensor(shape: readonly number[], values: readonly number[]): Tensor<"int64"> {
  const data = BigInt64Array.from(values, (v) => (v >= 2 ** 63 ? 2n ** 63n - 1n : v <= -(2 ** 63) ? -(2n ** 63n) : BigInt(v)));
  return tensor("int64", shape, data);
}

export const int = (value: number): Attribute => ({ kind: "int", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const text = (value: string): Attribute => ({ kind: "string", value });

export function intOf(node: OnnxNode, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "int" ? attribute.value : fallback;
}

export function textOf(node: OnnxNode, name: string, fallback: string): string {
  const attribute = node.attributes[name];
  return attribute?.kind === "string" ? attribute.value : fallback;
}

export function without(attributes: OnnxNode["attributes"], ...names: string[]): OnnxNode["attributes"] {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}
