import type { OnnxModel } from "../onnx/model.js";
import { type DataType, describe, type Shape, sizeOf, type Tensor } from "../tensor/tensor.js";
import { buildModel } from "./build.js";
import { type Attributes, nodeLabel, type Operator } from "./operator.js";

/** The static type of a value: element type and shape. Shapes inside a `Graph` are always fixed numbers. */
export interface ValueType {
  readonly type: DataType;
  readonly shape: Shape;
}

/** A tensor-to-be inside a graph: an input, a constant, or an output of a node. Made by `Graph` and by the operator builders. */
export class Value implements ValueType {
  constructor(
    readonly graph: Graph,
    readonly name: string,
    readonly type: DataType,
    readonly shape: Shape,
    readonly origin: Origin,
  ) {}

  /** The tensor, where the value is a constant. */
  get constant(): Tensor | undefined {
    return this.origin.kind === "constant" ? this.origin.tensor : undefined;
  }

  /** The node that computes the value, where there is one. */
  get node(): Node | undefined {
    return this.origin.kind === "node" ? this.origin.node : undefined;
  }

  toString(): string {
    return `${this.name}: ${describe(this)}`;
  }
}

export type Origin =
  | { readonly kind: "input" }
  | { readonly kind: "constant"; readonly tensor: Tensor }
  | { readonly kind: "node"; readonly node: Node; readonly index: number };

export interface Node {
  readonly operator: Operator;
  readonly name: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** Complete: defaults are filled in. */
  readonly attributes: Attributes;
  /** Which sweep of automatic differentiation made the node; undefined for what a model or a caller says. */
  readonly sweep?: SweepDirection | undefined;
}

/** "reverse": cotangents, and what is computed for them alone. */
export type SweepDirection = "reverse";

/** A mistake in building a graph: names the operator, the attribute and the shapes. */
export class GraphError extends Error {
  override readonly name = "GraphError";
}

/**
 * A graph under construction. It only grows: values are added by `input`, `constant` and the operator builders, nothing is changed or
 * removed, and `build` writes out what the outputs need. Equal nodes and equal small constants are shared.
 *
 * @example
 * const graph = new Graph();
 * const x = graph.input("x", "float32", [1, 3, 32, 32]);
 * graph.output("y", relu(x));
 * const model = graph.build();
 */
export class Graph {
  readonly inputs: Value[] = [];
  readonly outputs = new Map<string, Value>();
  /** In the order of construction, hence topologically sorted. */
  readonly nodes: Node[] = [];
  readonly #names = new Set<string>();
  readonly #shared = new Map<string, readonly Value[]>();
  readonly #constants = new Map<Tensor, Value>();
  readonly #ids = new Map<Value, number>();
  #count = 0;
  #sweep: SweepDirection | undefined;

  /** A graph input. The name is the feed's name at run time. */
  input(name: string, type: DataType, shape: Shape): Value {
    if (this.#names.has(name))
      throw new GraphError(`The graph has a value named "${name}" already; give the input another name.`);
    if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0)) {
      throw new GraphError(
        `Input "${name}": shapes inside a graph are fixed whole numbers, not [${shape.join(", ")}]; specialise the model first.`,
      );
    }
    const value = this.#value(name, type, shape, { kind: "input" });
    this.inputs.push(value);
    return value;
  }

  /** A constant. Small unnamed constants (up to 64 elements) are shared, and so is whatever is one and the same `Tensor` object. */
  constant(t: Tensor, name?: string): Value {
    const same = this.#constants.get(t);
    if (same) return same;
    const key =
      name === undefined && sizeOf(t.shape) <= 64
        ? `const ${describe(t)} ${Array.from(t.data as ArrayLike<unknown>, (v) => (Object.is(v, -0) ? "-0" : String(v)))}`
        : undefined;
    const known = key && this.#shared.get(key);
    if (known) return known[0]!;
    const value = this.#value(this.uniqueName(name ?? "constant"), t.type, t.shape, { kind: "constant", tensor: t });
    this.#constants.set(t, value);
    if (key) this.#shared.set(key, [value]);
    return value;
  }

  /** Names a value as an output of the model. */
  output(name: string, value: Value): void {
    this.#own(value, `output "${name}"`);
    if (this.outputs.has(name)) throw new GraphError(`The graph has an output named "${name}" already.`);
    this.outputs.set(name, value);
  }

  /**
   * Adds a node; the operator builders (`conv`, `relu`, ...) are the usual way here.
   *
   * @param outputCount number of outputs that are wanted (default 1). A shape rule may yield more: those exist too, for gradients to use,
   *   and are written to a file only where something uses them.
   * @throws GraphError when inputs or attributes do not fit the operator.
   */
  add(
    operator: Operator,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
    options: { outputCount?: number; name?: string; outputNames?: readonly string[] } = {},
  ): readonly Value[] {
    const name = options.name ?? "";
    const fail = (message: string): never => {
      const shapes = inputs
        .map((v, i) =>
          v ? `${(operator.inputs[i] ?? operator.inputs.at(-1) ?? "").replace(/[?.]/g, "")} ${describe(v)}` : undefined,
        )
        .filter(Boolean);
      throw new GraphError(`${nodeLabel({ operator, name })}: ${message} (inputs: ${shapes.join(", ") || "none"}).`);
    };
    for (const v of inputs) if (v) this.#own(v, nodeLabel({ operator, name }));
    checkArity(operator, inputs, fail);
    const complete = completeAttributes(operator, attributes, fail);
    const outputCount = options.outputCount ?? 1;

    const trimmed = [...inputs];
    while (trimmed.length > 0 && trimmed.at(-1) === undefined) trimmed.pop();
    const key = shareable(operator)
      ? `${operator.domain}.${operator.name} ${outputCount} ${trimmed.map((v) => (v ? this.#ids.get(v) : "")).join(",")} ${attributeKey(complete)}`
      : undefined;
    const known = key && this.#shared.get(key);
    if (known) return known;

    // Rules see undefined, not absence, for optional inputs that are left out.
    const context = { inputs: trimmed, attributes: complete, outputCount, fail };
    const parts = operator.decompose?.({ ...context, graph: this });
    if (parts) {
      if (parts.length < outputCount) fail(`it has ${parts.length} outputs, ${outputCount} were asked for`);
      if (key) this.#shared.set(key, parts);
      return parts;
    }
    const types = operator.infer(context);
    const outputs: Value[] = [];
    const node: Node = { operator, name, inputs: trimmed, outputs, attributes: complete, sweep: this.#sweep };
    for (let index = 0; index < Math.max(outputCount, types.length); index++) {
      const type = types[index];
      if (!type) fail(`it has ${types.length} outputs, ${outputCount} were asked for`);
      outputs.push(
        this.#value(
          this.uniqueName(options.outputNames?.[index] || name || operator.name.toLowerCase()),
          type!.type,
          type!.shape,
          { kind: "node", node, index },
        ),
      );
    }
    this.nodes.push(node);
    if (key) this.#shared.set(key, outputs);
    return outputs;
  }

  /** Marks the nodes that `build` adds as made by a sweep. A node that stands in the graph already stays what it is. */
  during<T>(sweep: SweepDirection | undefined, build: () => T): T {
    const before = this.#sweep;
    this.#sweep = sweep;
    try {
      return build();
    } finally {
      this.#sweep = before;
    }
  }

  /** A name that no value of the graph bears yet: the given one, or the given one with a number. */
  uniqueName(base: string): string {
    if (!this.#names.has(base)) return base;
    for (;;) {
      const name = `${base}_${++this.#count}`;
      if (!this.#names.has(name)) return name;
    }
  }

  /** The model of everything that the outputs depend on; all inputs are kept, used or not. */
  build(): OnnxModel {
    return buildModel(this);
  }

  #value(name: string, type: DataType, shape: Shape, origin: Origin): Value {
    this.#names.add(name);
    const value = new Value(this, name, type, [...shape], origin);
    this.#ids.set(value, this.#names.size);
    return value;
  }

  #own(value: Value, where: string): void {
    if (value.graph !== this)
      throw new GraphError(`${where}: value "${value.name}" belongs to another graph; embed its model in this one first.`);
  }
}

function checkArity(operator: Operator, inputs: readonly (Value | undefined)[], fail: (message: string) => never): void {
  const variadic = operator.inputs.at(-1)?.startsWith("...") ?? false;
  if (!variadic && inputs.length > operator.inputs.length)
    fail(`it takes at most ${operator.inputs.length} inputs, not ${inputs.length}`);
  operator.inputs.forEach((name, i) => {
    if (!name.endsWith("?") && !name.startsWith("...") && inputs[i] === undefined) fail(`input ${name} is missing`);
  });
}

function completeAttributes(operator: Operator, given: Attributes, fail: (message: string) => never): Attributes {
  const complete: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!operator.attributes[name])
      fail(`it has no attribute "${name}"; it has ${Object.keys(operator.attributes).join(", ") || "none"}`);
    complete[name] = value;
  }
  for (const [name, spec] of Object.entries(operator.attributes)) {
    if (name in complete) continue;
    if (spec.required) fail(`attribute "${name}" is missing`);
    if (spec.default !== undefined) complete[name] = spec.default;
  }
  return complete;
}

function shareable(operator: Operator): boolean {
  return (
    operator.domain !== "faultline" && !operator.random && !Object.values(operator.attributes).some((a) => a.kind === "graph")
  );
}

function attributeKey(attributes: Attributes): string {
  return JSON.stringify(attributes, (_, v) =>
    typeof v === "bigint" ? `${v}n` : ArrayBuffer.isView(v) ? Array.from(v as unknown as ArrayLike<unknown>, String) : v,
  );
}
