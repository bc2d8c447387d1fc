import type { Value } from "../graph/graph.js";
import { bytesPerElement, isFloat, sizeOf } from "../tensor/tensor.js";
import { bytesOf, type ConstantPart } from "./constant-part.js";

/** Constants of so few elements are computed ahead, unless they are made from quantized ones. */
const small = 64;

/**
 * The constant values that are worth computing ahead: those that the nodes in use read, as long as all of them together take no more bytes than the
 * constants that they replace. A repeated or dequantized tensor would take many times the file; ONNX Runtime makes it when it loads the model.
 *
 * @param stays whether a value shall be left with the nodes that make it, whatever its size.
 */
export function foldable(constants: ConstantPart, roots: readonly Value[], stays: (v: Value) => boolean): Value[] {
  const refused = new Set<Value>();
  for (;;) {
    const { folded, read } = split(constants, roots, (v) => refused.has(v) || stays(v));
    const spent = new Map<Value, number>();
    const left = (leaf: Value): number => (read.has(leaf) ? 0 : bytesOf(leaf) - (spent.get(leaf) ?? 0));
    const before = refused.size;
    for (const v of folded) {
      const leaves = leavesOf(v);
      if (sizeOf(v.shape) <= small && !isDequantized(v, leaves)) continue;
      let needed = bytesOf(v);
      if (leaves.reduce((sum, leaf) => sum + left(leaf), 0) < needed) {
        refused.add(v);
        continue;
      }
      for (const leaf of leaves) {
        const part = Math.min(needed, left(leaf));
        spent.set(leaf, (spent.get(leaf) ?? 0) + part);
        needed -= part;
      }
    }
    if (refused.size === before) return folded;
  }
}

/**
 * Whether floating-point numbers are made from quantized ones. Between DequantizeLinear and QuantizeLinear, ONNX Runtime (level basic and above) quantizes weights that are
 * floating-point constants once more, in its own way.
 */
const isDequantized = (v: Value, leaves: readonly Value[]): boolean =>
  isFloat(v.type) && leaves.some((leaf) => bytesPerElement(leaf.type) < bytesPerElement(v.type) && leaf.type.includes("int"));

/** The largest constant values that may be folded, and the constants that remaining nodes read as they are. */
function split(constants: ConstantPart, roots: readonly Value[], stays: (v: Value) => boolean) {
  const folded: Value[] = [];
  const read = new Set<Value>();
  const seen = new Set<Value>();
  const stack = [...roots];
  for (let v = stack.pop(); v; v = stack.pop()) {
    if (seen.has(v)) continue;
    seen.add(v);
    if (v.constant) read.add(v);
    else if (constants.isPending(v) && !stays(v)) folded.push(v);
    else for (const input of v.node?.inputs ?? []) if (input) stack.push(input);
  }
  return { folded, read };
}

/** The constants from which a constant value is computed. */
function leavesOf(of: Value): Value[] {
  const leaves = new Set<Value>();
  const seen = new Set<Value>();
  const stack = [of];
  for (let v = stack.pop(); v; v = stack.pop()) {
    if (seen.has(v)) continue;
    seen.add(v);
    if (v.constant) leaves.add(v);
    for (const input of v.node?.inputs ?? []) if (input) stack.push(input);
  }
  return [...leaves];
}
