import { ints, string } from "../graph/operator.js";
import type { Shape } from "../tensor/tensor.js";

/** How a sliding window is padded: by `pads`, not at all, or so that the output has ceil(input / stride) elements. */
export type AutoPad = "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";

/** Attributes that every operator with a sliding window has. */
export const windowAttributes = {
  auto_pad: string<AutoPad>("NOTSET", ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]),
  kernel_shape: ints(),
  pads: ints(),
  strides: ints(),
};

export interface WindowAttributes {
  readonly auto_pad: AutoPad;
  readonly kernel_shape: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
  readonly dilations?: readonly number[] | undefined;
}

/** A sliding window along one axis, with everything resolved: output position `o`, tap `k` reads input `o·stride + k·dilation - begin`. */
export interface AxisWindow {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before the first element. */
  readonly begin: number;
  /** Padding behind the last element as the attributes state it; the last window may end before or, in ceil mode, behind it. */
  readonly end: number;
}

/** Elements that one window spans. */
export const extent = ({ kernel, dilation }: Pick<AxisWindow, "kernel" | "dilation">): number => (kernel - 1) * dilation + 1;

/** Padding that lets the last window end exactly at the end of the padded input; negative where the last inputs meet no window. */
export const exactEnd = (w: AxisWindow): number => w.stride * (w.output - 1) + extent(w) - w.begin - w.input;

/**
 * Resolves the attributes of a convolution to one window per spatial axis, as ONNX Runtime 1.30 does.
 *
 * @param kernel spatial shape of the weights.
 */
export function windows(
  input: Shape,
  kernel: Shape,
  attributes: WindowAttributes,
  fail: (message: string) => never,
): AxisWindow[] {
  const rank = input.length;
  const { strides, dilations, pads } = checkedWindow(rank, kernel, attributes, fail);
  return input.map((size, i) => {
    const [stride, dilation] = [strides[i]!, dilations[i]!];
    const span = extent({ kernel: kernel[i]!, dilation });
    let [begin, end] = [pads[i]!, pads[i + rank]!];
    if (attributes.auto_pad === "SAME_UPPER" || attributes.auto_pad === "SAME_LOWER") {
      if (dilation !== 1)
        fail(`auto_pad ${attributes.auto_pad} of a convolution with dilations is an error in ONNX Runtime; give pads instead`);
      const total = (Math.ceil(size / stride) - 1) * stride + span - size;
      // A window narrower than its stride needs less than no padding. ONNX Runtime then still begins at the first element, unless three
      // or more elements are left over.
      if (total < -2) fail(`auto_pad ${attributes.auto_pad} would have to crop axis ${i + 2}; give pads instead`);
      begin = Math.max(0, attributes.auto_pad === "SAME_LOWER" ? Math.ceil(total / 2) : Math.floor(total / 2));
      end = Math.max(0, total - begin);
    } else if (attributes.auto_pad === "VALID") {
      begin = 0;
      end = 0;
    }
    if (size + begin + end < span)
      fail(`the window spans ${span} elements of axis ${i + 2}, which has ${size + begin + end} with its padding`);
    return axisWindow({ input: size, kernel: kernel[i]!, stride, dilation, begin, end }, "floor");
  });
}

/**
 * How many windows an axis has. Quotients are cut toward 0, as ONNX Runtime's are: a window that is longer than the axis, by less than a stride, is one
 * window. None (0 or less) is an error that the caller reports.
 *
 * @param rounding "ceil" also admits a last window that is only partly filled, unless it would start behind the last element.
 */
export function axisWindow(axis: Omit<AxisWindow, "output">, rounding: "floor" | "ceil"): AxisWindow {
  const { input, stride, begin, end } = axis;
  const room = input + begin + end - extent(axis);
  let output = (rounding === "ceil" ? Math.ceil(room / stride) : Math.trunc(room / stride)) + 1;
  if (rounding === "ceil" && (output - 1) * stride >= input + begin) output--;
  return { ...axis, output };
}

/** Attributes with their defaults (1, 1, 0) filled in, checked for length and range. */
export function checkedWindow(rank: number, kernel: Shape, attributes: WindowAttributes, fail: (message: string) => never) {
  const { kernel_shape, strides, dilations, pads } = attributes;
  const check = (name: string, values: readonly number[], length: number, least: number): readonly number[] => {
    if (values.length !== length) fail(`${name} has ${values.length} entries, ${length} are needed`);
    if (!values.every((v) => Number.isInteger(v) && v >= least)) fail(`${name} [${values.join(", ")}] must be at least ${least}`);
    return values;
  };
  check("kernel_shape", kernel, rank, 1);
  if (kernel_shape && kernel_shape.join() !== kernel.join())
    fail(`kernel_shape [${kernel_shape.join(", ")}] is not that of the weights, [${kernel.join(", ")}]`);
  const ones = Array<number>(rank).fill(1);
  return {
    strides: check("strides", strides ?? ones, rank, 1),
    dilations: check("dilations", dilations ?? ones, rank, 1),
    pads: check("pads", pads ?? Array<number>(2 * rank).fill(0), 2 * rank, 0),
  };
}
