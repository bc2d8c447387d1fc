import type { Graph, Value } from "../../engine/graph/graph.js";
import { Random } from "../../engine/tensor/random.js";
import { describe, type Shape, sameShape, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { StateDict } from "./checkpoints/state-dict.js";
import type { Initializer } from "./initializers.js";

/** Parameters are trained; buffers (running statistics) are carried along and have no gradient. */
export type Role = "parameter" | "buffer";

/** What a network says of one of its tensors. All are float32. */
export interface Declaration {
  /** As in the published PyTorch checkpoint, for example "encoders.0.0.conv1.weight". */
  readonly name: string;
  readonly shape: Shape;
  readonly role: Role;
  readonly initialize: Initializer;
}

/** Turns a declaration into a value of the graph: an input, a constant, or whatever else a method needs. */
export type Binding = (graph: Graph, declaration: Declaration) => Value;

/** Whether batch normalization and its like take statistics from the batch or from their buffers. */
export type Mode = "training" | "evaluation";

/** A tensor is missing, misshapen or declared twice. */
export class ParameterError extends Error {
  override readonly name = "ParameterError";
}

/** Every tensor becomes a graph input of its own name: training, and whatever exchanges weights at run time. */
export const asInputs: Binding = (graph, { name, shape }) => graph.input(name, "float32", shape);

/**
 * Every tensor becomes a constant from a state dict: inference and export.
 *
 * @throws ParameterError (when the network is built) for a tensor that is missing or has another shape or type.
 */
export const asConstants =
  (state: StateDict): Binding =>
  (graph, declaration) =>
    graph.constant(lookUp(state, declaration), declaration.name);

/** Every tensor becomes a freshly initialized constant. */
export const asInitialized =
  (seed: number | string): Binding =>
  (graph, declaration) =>
    graph.constant(initial(declaration, seed), declaration.name);

/** The first value of one tensor. It depends on the seed and the tensor's name only, not on what else is drawn. */
export function initial({ name, shape, initialize }: Declaration, seed: number | string): Tensor<"float32"> {
  return tensor("float32", shape, initialize(shape, new Random(seed, name)));
}

/**
 * The tensors of one network within one graph. A network asks for them through a `Scope`; a name that is asked for twice (two modules that
 * share an instance) is one value.
 *
 * @example
 * const parameters = new Parameters(graph, asConstants(state));
 * const y = nafnet(parameters.scope, x, configuration);
 */
export class Parameters {
  /** In the order in which the network asked. */
  readonly declarations = new Map<string, Declaration>();
  readonly values = new Map<string, Value>();
  /** Next values of buffers by name, as training-mode layers compute them (running statistics). */
  readonly updates = new Map<string, Value>();

  constructor(
    readonly graph: Graph,
    private readonly binding: Binding,
    readonly mode: Mode = "evaluation",
  ) {}

  /** The network's top scope. */
  get scope(): Scope {
    return new Scope(this, "");
  }

  /** The values that are trained, by name. */
  get trainable(): ReadonlyMap<string, Value> {
    return new Map([...this.values].filter(([name]) => this.declarations.get(name)?.role === "parameter"));
  }

  request(declaration: Declaration): Value {
    const { name, shape, role } = declaration;
    const known = this.declarations.get(name);
    if (!known) {
      const value = this.binding(this.graph, declaration);
      this.declarations.set(name, declaration);
      this.values.set(name, value);
      return value;
    }
    if (!sameShape(known.shape, shape) || known.role !== role)
      throw new ParameterError(
        `Parameter "${name}" is used as a ${known.role} of shape [${known.shape.join(", ")}] and as a ${role} of shape [${shape.join(", ")}]; give one of them another name.`,
      );
    return this.values.get(name)!;
  }

  update(name: string, value: Value): void {
    const buffer = this.values.get(name);
    if (!buffer || this.declarations.get(name)?.role !== "buffer")
      throw new ParameterError(`Only buffers are updated by the network itself, and "${name}" is none.`);
    if (!sameShape(buffer.shape, value.shape))
      throw new ParameterError(`Buffer "${name}" is ${describe(buffer)}, but its update is ${describe(value)}.`);
    if (this.updates.has(name))
      throw new ParameterError(
        `Buffer "${name}" is updated twice: a layer with running statistics cannot be shared in training.`,
      );
    this.updates.set(name, value);
  }
}

/** A path within a network's parameters, like a PyTorch module. */
export class Scope {
  constructor(
    readonly parameters: Parameters,
    readonly path: string,
  ) {}

  get graph(): Graph {
    return this.parameters.graph;
  }

  get mode(): Mode {
    return this.parameters.mode;
  }

  /** The scope of a sub-module. @example p.at("encoders", 0, 1) */
  at(...names: readonly (string | number)[]): Scope {
    return new Scope(this.parameters, [this.path, ...names].filter((n) => n !== "").join("."));
  }

  /** A trained tensor of this module. @example p.parameter("beta", [1, c, 1, 1], zeros) */
  parameter(name: string, shape: Shape, initialize: Initializer): Value {
    return this.parameters.request({ name: this.at(name).path, shape, role: "parameter", initialize });
  }

  /** A tensor of this module that is not trained. */
  buffer(name: string, shape: Shape, initialize: Initializer): Value {
    return this.parameters.request({ name: this.at(name).path, shape, role: "buffer", initialize });
  }

  /** Says what a buffer of this module shall be after the training step. */
  update(name: string, value: Value): void {
    this.parameters.update(this.at(name).path, value);
  }
}

function lookUp(state: StateDict, { name, shape }: Declaration): Tensor {
  const found = state.get(name);
  if (found?.type === "float32" && sameShape(found.shape, shape)) return found;
  throw new ParameterError(
    `The network needs "${name}" as ${describe({ type: "float32", shape })}, but ${found ? describe(found) : "nothing of that name"} was given; check the network's configuration.`,
  );
}
