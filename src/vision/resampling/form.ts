import type { Node, Value } from "../../engine/graph/graph.js";
import type { FloatType, Tensor } from "../../engine/tensor/tensor.js";

/** A node of a model at which the resolution of a map [N, C, H, W] changes. */
export interface Found {
  /** By how much it falls, or rises; an interpolation's need not be whole. */
  readonly factor: readonly [height: number, width: number];
  /** The map before, and the map after. */
  readonly before: Value;
  readonly after: Value;
}

/** Why a node is left as it is. */
export class Left {
  constructor(readonly because: string) {}
}

/** Whether a replacement is for maps of the size at hand, or for those of any size. */
export type Sides = "these" | "any";

/** One way in which models lower the resolution. */
export interface DownForm {
  readonly name: string;
  readonly direction: "down";
  readonly find: (node: Node) => Found | undefined;
  /**
   * The same layer with every sample kept: its every `factor`-th sample is what the layer yields. For "these" sides its own are exactly `factor` times
   * those of the result; for "any" they are that or less than `factor` more, and nothing in the node depends on them.
   *
   * @param node with its inputs in the graph that is built.
   */
  readonly undecimated: (node: Node, sides: Sides) => Value | Left;
}

/** One way in which models raise the resolution. */
export interface UpForm {
  readonly name: string;
  readonly direction: "up";
  readonly find: (node: Node) => Found | undefined;
  /**
   * The same layer as a transposed convolution whose strides are its factors; for "any" sides nothing in it depends on them.
   *
   * @param node with its inputs in the graph that is built.
   */
  readonly transposed: (node: Node, sides: Sides) => Transposed | Left;
  /** The values whose elements `transposed` must know: a kernel. */
  readonly reads?: (node: Node) => readonly Value[];
}

/** `y[i] = Σ_j x[j] W[i + pad - s j]` along both axes, s the factor, i from 0 to s H - 1; between what is done before and after. */
export interface Transposed {
  readonly x: Value;
  /** [C, out / groups, rows, columns], of the type of the map. */
  readonly weight: Tensor<FloatType>;
  readonly groups: number;
  readonly factor: readonly [height: number, width: number];
  readonly pad: readonly [height: number, width: number];
  readonly finish: (y: Value) => Value;
}

export type Form = DownForm | UpForm;
