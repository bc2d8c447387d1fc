import { describe, sameShape, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import type { StateDict } from "../../vision/nn/checkpoints/state-dict.js";
import { CriticalityError } from "./error.js";
import type { Layer, Parameter, Role } from "./layer.js";
import { type ResetSource, transposed } from "./resets.js";

/** Freshly initialized weights of the same architecture: a state dict, or the layers found in another ONNX file of it. */
export type FreshCopy =
  | { readonly name: string; readonly state: StateDict }
  | { readonly name: string; readonly layers: readonly Layer[] };

/**
 * Resets from files, as the published study does: trial t takes the layer's tensors from copy t.
 *
 * @throws CriticalityError when called for a trial without a copy, or a tensor is missing from the copy or has another shape.
 */
export const freshCopies =
  (copies: readonly FreshCopy[]): ResetSource =>
  (layer, trial) => {
    const copy = copies[trial];
    if (!copy)
      throw new CriticalityError(
        `There are ${copies.length} fresh copies, so trials 0 to ${copies.length - 1}; trial ${trial} has none.`,
      );
    return new Map(
      layer.parameters.map((p) => [p.name, "state" in copy ? fromState(p, layer, copy) : fromLayers(p, layer, copy)]),
    );
  };

const torchNames: Readonly<Record<Role, string>> = {
  weight: "weight",
  bias: "bias",
  mean: "running_mean",
  variance: "running_var",
};

function fromState(parameter: Parameter, layer: Layer, { name, state }: { name: string; state: StateDict }): Tensor {
  const { inFile, role, trained } = parameter;
  const inTorch = `${layer.name}.${torchNames[role]}`;
  const found = state.get(inFile.name);
  const value = found ?? state.get(inTorch);
  if (!value) {
    throw new CriticalityError(
      `${name} has no tensor "${inFile.name}"${inTorch === inFile.name ? "" : ` or "${inTorch}"`} for layer ${layer.name}; it must hold the weights of the same architecture under the same names.`,
    );
  }
  // PyTorch keeps linear weights as [out, in]; a model that multiplies by [in, out] holds the transpose
  const flip = found ? inFile.transposed : parameter.layout === "in-out";
  const shape = flip ? value.shape.toReversed() : value.shape;
  if (!sameShape(shape, trained.shape)) throw misfit(name, layer, parameter, value);
  return tensor(trained.type, trained.shape, flip ? transposed(toNumbers(value), value.shape) : toNumbers(value));
}

function fromLayers(parameter: Parameter, layer: Layer, { name, layers }: { name: string; layers: readonly Layer[] }): Tensor {
  const twin = layers.find((l) => l.name === layer.name);
  const value = twin?.parameters.find((p) => p.role === parameter.role)?.trained;
  if (!value)
    throw new CriticalityError(
      `${name} has no ${parameter.role} for a layer "${layer.name}"; it must be a model of the same architecture, exported alike.`,
    );
  if (!sameShape(value.shape, parameter.trained.shape)) throw misfit(name, layer, parameter, value);
  return value;
}

const misfit = (name: string, layer: Layer, { role, trained }: Parameter, value: Tensor): CriticalityError =>
  new CriticalityError(
    `${name}: the ${role} of layer ${layer.name} is ${describe(value)} there, but ${describe(trained)} in the model.`,
  );
