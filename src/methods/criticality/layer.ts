import type { Tensor } from "../../engine/tensor/tensor.js";

export const layerKinds = ["convolution", "transposed convolution", "linear", "batch normalization", "normalization"] as const;
export type LayerKind = (typeof layerKinds)[number];

/** What a tensor is to its layer. "mean" and "variance" are the running statistics of batch normalization. */
export type Role = "weight" | "bias" | "mean" | "variance";

/** How the dimensions of a weight are laid out; everything else is a value per channel. */
export type WeightLayout =
  /** [out, in / groups, ...kernel] */
  | "convolution"
  /** [in, out / groups, ...kernel] */
  | "transposed convolution"
  /** [out, in] */
  | "out-in"
  /** [in, out] */
  | "in-out"
  | "per channel";

/** A tensor of a layer as it stands in the model. */
export interface Parameter {
  /** Of the initializer in the model that `findLayers` returns; no other layer reads it. */
  readonly name: string;
  readonly role: Role;
  readonly layout: WeightLayout;
  readonly trained: Tensor;
  /** How a file of weights knows it: its name there, and whether the model holds its transpose. */
  readonly inFile: { readonly name: string; readonly transposed: boolean };
}

/** A module of the network: what `torch.nn` would have as one object. */
export interface Layer {
  /** As in the file: the common part of the tensors' names, or the path in the node's name. */
  readonly name: string;
  readonly kind: LayerKind;
  /** Which part of the network it belongs to: the first part of its name, or the resolution it works at. */
  readonly stage: string;
  readonly parameters: readonly Parameter[];
  /** Outputs of the model's nodes that read the parameters: where the layer sits. */
  readonly reads: readonly string[];
  /** How often the network applies it; a reset concerns all of them. */
  readonly applications: number;
}

/** Whether a layer weighs its input: the published study draws convolutions and linear layers only. */
export const isWeighted = (kind: LayerKind): boolean => kind !== "batch normalization" && kind !== "normalization";
