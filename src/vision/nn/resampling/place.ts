import type { Value } from "../../../engine/graph/graph.js";
import type { Bias } from "../layers/convolution.js";
import type { Scope } from "../scope.js";

/** A place in a network where the resolution is halved. */
export interface DownPlace {
  /** [N, C, H, W] */
  readonly x: Value;
  /** Height and width that the network goes on with: halves, rounded as it rounds them. */
  readonly size: readonly [height: number, width: number];
  /** For parameters of the choice itself. */
  readonly scope: Scope;
  /**
   * The network's own layer here, at stride 1 or 2, with all of its output channels or a quarter of them (because four pixels become
   * channels afterwards). Without a convolution at this place: x itself at stride 1.
   */
  readonly convolve: (x: Value, how: { readonly stride: 1 | 2; readonly share: 1 | 4 }) => Value;
  /** "kept": what follows expects the channels that `convolve` yields. "free": it takes any number, so nothing need be mixed before. */
  readonly channels: "kept" | "free";
}

/** One way to halve the resolution. */
export interface Downsampling {
  /** Paper, or where it is customary. */
  readonly source: string;
  /** Sides must be multiples of this. */
  readonly multipleOf: number;
  readonly apply: (place: DownPlace) => Value;
}

/** A place in a network where the resolution is doubled. */
export interface UpPlace {
  /** [N, C, H, W] */
  readonly x: Value;
  /** Channels of the result. */
  readonly out: number;
  /** For parameters of the choice itself. */
  readonly scope: Scope;
  /** The network's own convolution before a pixel shuffle, to so many channels. */
  readonly mix: (x: Value, out: number) => Value;
  /** Where published code keeps the 3x3 convolution before FreqAvgUp. */
  readonly spectral: Scope;
  /** Where it keeps the transposed convolution, and the small one beside it. */
  readonly large: Scope;
  readonly small: Scope;
  /** Of the transposed convolutions. */
  readonly bias: Bias;
  /** Groups of a transposed convolution with a kernel of this side. */
  readonly groups: (kernel: number) => number;
}

/** One way to double the resolution. */
export interface Upsampling {
  /** Paper, or where it is customary. */
  readonly source: string;
  readonly apply: (place: UpPlace) => Value;
}
