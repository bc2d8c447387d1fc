import type { Value } from "../../graph/graph.js";
import { defineOperator, flag, int } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { tensor } from "../../tensor/tensor.js";
import { mul } from "../elementwise/mul.js";
import { constantNumbers, emit, normalizeAxis } from "../emit.js";
import { pad } from "../layout/pad.js";
import { slice } from "../layout/slice.js";

export interface DftOptions {
  /** The axis that is transformed; default 1. Never the last one, which holds real and imaginary part. */
  readonly axis?: number;
  /** "inverse" has the factor 1/n; default "forward". */
  readonly direction?: "forward" | "inverse";
  /** "onesided" yields only the ⌊n/2⌋ + 1 frequencies from 0 up, for real input; default "full". */
  readonly spectrum?: "full" | "onesided";
  /** The length n of the transform: the axis is cut or padded with zeros to it; default: the axis as it is. */
  readonly length?: number;
}

/**
 * Discrete Fourier transform along one axis: `Y[k] = Σ_j x[j] e^(-2πi jk/n)`.
 *
 * @param x `[..., 1]` real or `[..., 2]` real and imaginary part
 * @returns `[..., 2]`
 * @throws GraphError when the last axis is neither, or the axis does not fit.
 */
export const dft = (x: Value, { axis, direction, spectrum, length }: DftOptions = {}): Value =>
  emit(DFT, [x, length === undefined ? undefined : x.graph.constant(tensor("int64", [], [length]))], {
    axis,
    inverse: direction === "inverse" ? 1 : 0,
    onesided: spectrum === "onesided" ? 1 : 0,
  });

export const DFT = defineOperator({
  name: "DFT",
  inputs: ["input", "dft_length?"],
  outputs: ["output"],
  attributes: { axis: int(1), inverse: flag(0), onesided: flag(0) },
  infer: (context) => {
    const { inputs, attributes, fail } = context;
    const [x] = inputs;
    const parts = x.shape.at(-1);
    if (x.shape.length < 3) fail("its input needs a batch axis, at least one axis to transform, and a last axis of 1 or 2");
    if (parts !== 1 && parts !== 2) fail("the last axis of its input must hold 1 (real) or 2 (real and imaginary) numbers");
    if (attributes.onesided && attributes.inverse) fail("ONNX Runtime has no onesided inverse transform");
    if (attributes.onesided && parts !== 1) fail("a onesided transform needs real input");
    const { axis, n } = transformed(context);
    const frequencies = attributes.onesided ? Math.floor(n / 2) + 1 : n;
    return [{ type: x.type, shape: x.shape.map((d, i) => (i === axis ? frequencies : i === x.shape.length - 1 ? 2 : d)) }];
  },
  range: finite,
  // The adjoint of the matrix e^(-2πi jk/n) is its conjugate: dx = n · inverse(g), and for the inverse dx = forward(g) / n. Frequencies that
  // a onesided transform leaves out have no cotangent; real input takes the real part; what was cut or padded is padded or cut.
  gradient: (context, [g]) => {
    const [x] = context.inputs;
    const { inverse } = context.attributes;
    const { axis, n } = transformed(context);
    const full = resized(g, axis, n);
    const back = dft(full, { axis, direction: inverse ? "forward" : "inverse" });
    const scaled = mul(back, inverse ? 1 / n : n);
    const last = x.shape.length - 1;
    const parts = x.shape[last] === 1 ? slice(scaled, [0], [1], { axes: [last] }) : scaled;
    return [resized(parts, axis, x.shape[axis]!)];
  },
});

function transformed(context: {
  readonly inputs: readonly [Value, Value | undefined];
  readonly attributes: { readonly axis: number };
  readonly fail: (message: string) => never;
}): { axis: number; n: number } {
  const { inputs, attributes, fail } = context;
  const [x, length] = inputs;
  const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
  if (axis === x.shape.length - 1) fail("the last axis holds real and imaginary part; it cannot be transformed");
  const n = (length && constantNumbers(length, "dft_length", fail)[0]) ?? x.shape[axis]!;
  return { axis, n: n >= 1 ? n : fail(`dft_length ${n} must be at least 1`) };
}

/** Cuts an axis, or pads it with zeros behind, to the given size. */
function resized(x: Value, axis: number, size: number): Value {
  const missing = size - x.shape[axis]!;
  if (missing < 0) return slice(x, [0], [size], { axes: [axis] });
  return pad(x, [...x.shape.map(() => 0), ...x.shape.map((_, i) => (i === axis ? missing : 0))]);
}
