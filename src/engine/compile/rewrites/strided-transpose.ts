import type { Node, Value } from "../../graph/graph.js";
import { nodeAs } from "../../graph/operator.js";
import { ConvTranspose } from "../../operators/convolution/conv-transpose.js";

/** What a rewrite asks of a ConvTranspose on two axes with one stride. */
export interface StridedTranspose {
  readonly x: Value;
  readonly w: Value;
  readonly bias: Value | undefined;
  readonly stride: number;
  /** [height, width] */
  readonly kernel: readonly [number, number];
  /** Padding at the beginning of both axes. */
  readonly begin: readonly [number, number];
  readonly group: number;
  /** Of the weight [inputs, outputs / groups, ...kernel]. */
  readonly inputs: number;
  readonly perGroup: number;
}

/** Undefined for other operators, and where dilation, automatic padding, another type or no stride makes it another computation. */
export function stridedTranspose(node: Node): StridedTranspose | undefined {
  const layer = nodeAs(ConvTranspose, node);
  if (!layer) return undefined;
  const [x, w, bias] = layer.inputs;
  const { strides, dilations, pads, group, auto_pad, output_shape } = layer.attributes;
  const [inputs, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
  const stride = strides?.[0] ?? 1;
  if (auto_pad !== "NOTSET" || output_shape !== undefined || dilations?.some((d) => d !== 1)) return undefined;
  if (w.type !== "float32" || kernel.length !== 2 || stride < 2 || strides!.some((s) => s !== stride)) return undefined;
  const begin = [pads?.[0] ?? 0, pads?.[1] ?? 0] as const;
  return { x, w, bias, stride, kernel: kernel as [number, number], begin, group, inputs, perGroup };
}
