import type { Value } from "../../../engine/graph/graph.js";
import { conv, convTranspose } from "../../../engine/operators/index.js";
import { defaultBias, defaultWeight, type Initializer } from "../initializers.js";
import type { Scope } from "../scope.js";

/** Whether a layer adds a trained offset. */
export type Bias = "learned" | "none";

export interface Conv2dOptions {
  /** Output channels. */
  readonly out: number;
  /** Side of the square kernel; default 1. */
  readonly kernel?: number;
  readonly stride?: number;
  /** Zeros on every side; default: as many as keep the size at stride 1 (odd kernels), none for even kernels. */
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
  readonly bias?: Bias;
  /** Of the weight and the bias; default PyTorch's. */
  readonly initialize?: Initializer;
  readonly initializeBias?: Initializer;
}

/**
 * `torch.nn.Conv2d` on [N, C, H, W]: parameters `weight` [out, C / groups, k, k] and `bias` [out].
 *
 * @example conv2d(p.at("conv1"), x, { out: 64, kernel: 3, stride: 2 })
 */
export function conv2d(p: Scope, x: Value, options: Conv2dOptions): Value {
  const { out, kernel = 1, stride = 1, dilation = 1, groups = 1, bias = "learned", initialize = defaultWeight } = options;
  const padding = options.padding ?? samePadding(kernel, dilation);
  const shape = [out, channels(x) / groups, kernel, kernel];
  return conv(x, p.parameter("weight", shape, initialize), {
    ...(bias === "learned" && { bias: p.parameter("bias", [out], options.initializeBias ?? defaultBias(shape)) }),
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
    dilations: [dilation, dilation],
    group: groups,
  });
}

/** A convolution of each channel by itself. */
export function depthwiseConv2d(p: Scope, x: Value, options: Omit<Conv2dOptions, "out" | "groups">): Value {
  return conv2d(p, x, { ...options, out: channels(x), groups: channels(x) });
}

export interface ConvTranspose2dOptions {
  readonly out: number;
  readonly kernel: number;
  readonly stride?: number;
  /** Rows and columns cut from every side of the full result; default 0. */
  readonly padding?: number;
  /** Rows and columns added at the bottom and right. */
  readonly outputPadding?: number;
  readonly groups?: number;
  readonly bias?: Bias;
  /** Of the weight; default PyTorch's. */
  readonly initialize?: Initializer;
}

/** `torch.nn.ConvTranspose2d` on [N, C, H, W]: parameters `weight` [C, out / groups, k, k] and `bias` [out]. */
export function convTranspose2d(p: Scope, x: Value, options: ConvTranspose2dOptions): Value {
  const { out, kernel, stride = 1, padding = 0, outputPadding = 0, groups = 1, bias = "learned" } = options;
  const shape = [channels(x), out / groups, kernel, kernel];
  return convTranspose(x, p.parameter("weight", shape, options.initialize ?? defaultWeight), {
    ...(bias === "learned" && { bias: p.parameter("bias", [out], defaultBias(shape)) }),
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
    outputPadding: [outputPadding, outputPadding],
    group: groups,
  });
}

/** The number of channels of an [N, C, ...] value. */
export function channels(x: Value): number {
  return x.shape[1]!;
}

function samePadding(kernel: number, dilation: number): number {
  return kernel % 2 === 1 ? (dilation * (kernel - 1)) / 2 : 0;
}
