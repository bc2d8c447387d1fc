import type { Value } from "../../engine/graph/graph.js";
import { reshape, split } from "../../engine/operators/index.js";
import { describe, type Shape, sameShape, sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { StateDict } from "../../vision/nn/checkpoints/state-dict.js";
import { type Binding, type Declaration, initial, type Role } from "../../vision/nn/scope.js";
import { TrainingError } from "./error.js";
import { type ParameterGroup, type Section, sectionsOf } from "./parameter-groups.js";

/**
 * All parameters (or all buffers) of a network in one vector, in the order in which the network declares them, those with the same settings
 * together. An optimiser is then a dozen
 * nodes on one long vector instead of a dozen on each of several hundred small tensors, and a step has one handle to pass on, not hundreds.
 */
export class FlatLayout {
  readonly declarations: readonly Declaration[];
  readonly size: number;
  /** Stretches of the vector, one after the other, of parameters with the same settings. */
  readonly sections: readonly Section[];

  constructor(all: Iterable<Declaration>, role: Role, groups: readonly ParameterGroup[] = []) {
    this.sections = sectionsOf(
      [...all].filter((d) => d.role === role),
      groups,
    );
    this.declarations = this.sections.flatMap(({ declarations }) => declarations);
    this.size = this.declarations.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  get shape(): Shape {
    return [this.size];
  }

  /** The named tensors as one vector. @throws TrainingError for a tensor that is missing or has another type or shape. */
  flatten(state: StateDict): Tensor<"float32"> {
    const flat = tensor("float32", this.shape);
    let offset = 0;
    for (const { name, shape } of this.declarations) {
      const found = state.get(name);
      if (found?.type !== "float32" || !sameShape(found.shape, shape))
        throw new TrainingError(
          `The network needs "${name}" as ${describe({ type: "float32", shape })}, but ${found ? describe(found) : "nothing of that name"} was given.`,
        );
      flat.data.set(found.data as Float32Array, offset);
      offset += sizeOf(shape);
    }
    return flat;
  }

  /** Freshly initialised; the same seed gives the same bits. */
  initial(seed: number | string): Tensor<"float32"> {
    return this.flatten(new Map(this.declarations.map((d) => [d.name, initial(d, seed)])));
  }

  /** The vector's tensors by name. */
  unflatten(flat: Tensor): Map<string, Tensor<"float32">> {
    const state = new Map<string, Tensor<"float32">>();
    let offset = 0;
    for (const { name, shape } of this.declarations) {
      const end = offset + sizeOf(shape);
      state.set(name, tensor("float32", shape, (flat.data as Float32Array).slice(offset, end)));
      offset = end;
    }
    return state;
  }

  /** The vector's tensors by name, as values of the graph. */
  split(flat: Value): Map<string, Value> {
    const parts = split(
      flat,
      0,
      this.declarations.map(({ shape }) => sizeOf(shape)),
    );
    return new Map(this.declarations.map(({ name, shape }, i) => [name, reshape(parts[i]!, shape)]));
  }
}

/** Binds a network to tensors that are in the graph already. */
export const asGiven =
  (...values: readonly ReadonlyMap<string, Value>[]): Binding =>
  (_, { name }) => {
    for (const known of values) {
      const value = known.get(name);
      if (value) return value;
    }
    throw new TrainingError(`The network asks for "${name}" in training, but did not declare it before.`);
  };
