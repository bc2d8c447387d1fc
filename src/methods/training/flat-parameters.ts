import type { Graph, Value } from "../../engine/graph/graph.js";
import { reshape, split } from "../../engine/operators/index.js";
import { describe, sameShape, sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { StateDict } from "../../vision/nn/checkpoints/state-dict.js";
import { type Binding, type Declaration, initial, type Role } from "../../vision/nn/scope.js";
import { TrainingError } from "./error.js";
import { type ParameterGroup, type Section, sectionsOf } from "./parameter-groups.js";

/**
 * All parameters (or all buffers) of a network in a few long vectors, in the order in which the network declares them, those with the same
 * settings together. An optimizer is then a dozen nodes on each of these vectors instead of a dozen on each of several hundred small tensors.
 */
export class FlatLayout {
  readonly vectors: readonly FlatVector[];
  readonly sections: readonly Section[];

  constructor(all: Iterable<Declaration>, role: Role, groups: readonly ParameterGroup[] = []) {
    this.sections = sectionsOf(
      [...all].filter((d) => d.role === role),
      groups,
    );
    this.vectors = this.sections.flatMap(({ declarations }, section) => cutUp(declarations, section));
  }

  get declarations(): readonly Declaration[] {
    return this.vectors.flatMap((v) => v.declarations);
  }

  /** Numbers in all vectors. */
  get size(): number {
    return this.vectors.reduce((sum, { size }) => sum + size, 0);
  }

  /** The vectors' names as inputs of a program. */
  names(kind: string): string[] {
    return this.vectors.map((_, i) => `${kind}.${i}`);
  }

  inputs(graph: Graph, kind: string): Value[] {
    return this.names(kind).map((name, i) => graph.input(name, "float32", [this.vectors[i]!.size]));
  }

  zeros(): Tensor<"float32">[] {
    return this.vectors.map(({ size }) => tensor("float32", [size]));
  }

  /** The named tensors in vectors. @throws TrainingError for a tensor that is missing or has another type or shape. */
  flatten(state: StateDict): Tensor<"float32">[] {
    return this.vectors.map(({ declarations, size }) => {
      const flat = tensor("float32", [size]);
      let offset = 0;
      for (const { name, shape } of declarations) {
        const found = state.get(name);
        if (found?.type !== "float32" || !sameShape(found.shape, shape))
          throw new TrainingError(
            `The network needs "${name}" as ${describe({ type: "float32", shape })}, but ${found ? describe(found) : "nothing of that name"} was given.`,
          );
        flat.data.set(found.data as Float32Array, offset);
        offset += sizeOf(shape);
      }
      return flat;
    });
  }

  /** Freshly initialized; the same seed gives the same bits. */
  initial(seed: number | string): Tensor<"float32">[] {
    return this.flatten(new Map(this.declarations.map((d) => [d.name, initial(d, seed)])));
  }

  /** The vectors' tensors by name. */
  unflatten(flat: readonly Tensor[]): Map<string, Tensor<"float32">> {
    const state = new Map<string, Tensor<"float32">>();
    this.vectors.forEach(({ declarations }, i) => {
      let offset = 0;
      for (const { name, shape } of declarations) {
        const end = offset + sizeOf(shape);
        state.set(name, tensor("float32", shape, (flat[i]!.data as Float32Array).slice(offset, end)));
        offset = end;
      }
    });
    return state;
  }

  /** The vectors' tensors by name, as values of the graph. */
  split(flat: readonly Value[]): Map<string, Value> {
    return new Map(
      this.vectors.flatMap(({ declarations }, v) => {
        const parts = split(
          flat[v]!,
          0,
          declarations.map(({ shape }) => sizeOf(shape)),
        );
        return declarations.map(({ name, shape }, i) => [name, reshape(parts[i]!, shape)] as const);
      }),
    );
  }
}

/** Consecutive tensors with the same settings. */
export interface FlatVector {
  readonly declarations: readonly Declaration[];
  readonly size: number;
  /** Which of the layout's sections it belongs to. */
  readonly section: number;
}

/**
 * Numbers in a vector at most, unless one tensor has more: what an optimizer's nodes hand on then stays in the processor's cache. AdamW on 17
 * million parameters takes 45 ms on one vector, 26 on vectors of this size, 30 on a quarter of it (CPU, 2 threads).
 */
const longest = 2 ** 20;

function cutUp(declarations: readonly Declaration[], section: number): FlatVector[] {
  const vectors: { declarations: Declaration[]; size: number; section: number }[] = [];
  for (const declaration of declarations) {
    const size = sizeOf(declaration.shape);
    const last = vectors.at(-1);
    if (last && last.size + size <= longest) {
      last.declarations.push(declaration);
      last.size += size;
    } else vectors.push({ declarations: [declaration], size, section });
  }
  return vectors;
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
