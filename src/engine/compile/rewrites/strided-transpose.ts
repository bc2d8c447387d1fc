import type { Node, Value } from "../../graph/graph.js";

/** What a rewrite asks of a ConvTranspose on two axes with one stride. */
export interface StridedTranspose {
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
export function stridedTranspose(node: Node, w: Pick<Value, "type" | "shape">): StridedTranspose | undefined {
  if (node.operator.name !== "ConvTranspose") return undefined;
  const { strides, dilations, pads, group, auto_pad, output_shape } = node.attributes as Record<string, unknown> & {
    readonly strides?: readonly number[];
    readonly dilations?: readonly number[];
    readonly pads?: readonly number[];
    readonly group: number;
  };
  const [inputs, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
  const stride = strides?.[0] ?? 1;
  if (auto_pad !== "NOTSET" || output_shape !== undefined || dilations?.some((d) => d !== 1)) return undefined;
  if (w.type !== "float32" || kernel.length !== 2 || stride < 2 || strides!.some((s) => s !== stride)) return undefined;
  return { stride, kernel: kernel as [number, number], begin: [pads?.[0] ?? 0, pads?.[1] ?? 0], group, inputs, perGroup };
}
