import type { OnnxModel } from "../onnx/model.js";
import { Names } from "../onnx/names.js";
import { bytesPerElement, type DataType, describe, type Shape, sameShape, sizeOf, type Tensor } from "../tensor/tensor.js";
import { Arrays, attributeKey, completeAttributes, keyOfAttributes } from "./attributes.js";
import { buildModel } from "./build.js";
import { type Attributes, type Fail, type InferContext, nodeLabel, type Operator } from "./operator.js";

/** The static type of a value: element type and shape. Shapes inside a `Graph` are always fixed numbers. */
export interface ValueType {
  readonly type: DataType;
  readonly shape: Shape;
}

/** A tensor-to-be inside a graph: an input, a constant, or an output of a node. Made by `Graph` and by the operator builders. */
export class Value implements ValueType {
  #found: Tensor | undefined;

  constructor(
    readonly graph: Graph,
    readonly name: string,
    readonly type: DataType,
    readonly shape: Shape,
    readonly origin: Origin,
    /** Its number among the values of its graph. */
    readonly id: number,
  ) {}

  /** The tensor, where the value is a constant. */
  get constant(): Tensor | undefined {
    return this.origin.kind === "constant" ? this.origin.tensor : this.#found;
  }

  /** The node that computes the value, where there is one. */
  get node(): Node | undefined {
    return this.origin.kind === "node" && !this.#found ? this.origin.node : undefined;
  }

  /** Whether the value is a weight of a file or network. */
  get isWeight(): boolean {
    return this.origin.kind === "constant" && this.origin.role === "weight";
  }

  /** Says what a value is that depends on constants alone. From now on it is a constant: rules see its elements, and its node is not needed. */
  becomeConstant(t: Tensor): void {
    if (this.origin.kind !== "node" || t.type !== this.type || !sameShape(t.shape, this.shape))
      throw new GraphError(`${this} cannot become the constant ${describe(t)}.`);
    this.#found = t;
  }

  toString(): string {
    return `${this.name}: ${describe(this)}`;
  }
}

export type Origin =
  | { readonly kind: "input" }
  | { readonly kind: "constant"; readonly tensor: Tensor; readonly role: ConstantRole }
  | { readonly kind: "node"; readonly node: Node; readonly index: number };

/** Whether a constant is a weight of the file (or of a network), or whatever else: computed by the file, folded, made on the way. */
export type ConstantRole = "weight" | "computed";

export interface Node {
  readonly operator: Operator;
  readonly name: string;
  /** Values that are left out are undefined. What its subgraphs read from outside stands at the end. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** Complete: defaults are filled in. */
  readonly attributes: Attributes;
  /** For each output that the file (or the builder) lists, whether it asks for it; others are written only where something uses them. */
  readonly requested: readonly boolean[];
  /** The names by which the node's subgraphs (of If, Loop, Scan) read its last inputs. */
  readonly captures: readonly string[];
  /** Which sweep of automatic differentiation made the node; undefined for what a model or a caller says. */
  readonly sweep?: SweepDirection | undefined;
}

export interface AddOptions {
  /** How many outputs are wanted; default the number of `outputNames`, or 1. */
  readonly outputCount?: number;
  /** Names of the outputs, "" where one is left out. */
  readonly outputNames?: readonly string[];
  readonly requested?: readonly boolean[];
  /** For each output whether anything reads it; default: what is requested. Of an operator that is taken apart, others may be left out. */
  readonly read?: readonly boolean[];
  readonly name?: string;
  readonly captures?: readonly string[];
  /** The types of all outputs, where they are known: nothing is checked or inferred then. */
  readonly types?: readonly ValueType[];
}

/** "reverse": cotangents, and what is computed for them alone. */
export type SweepDirection = "reverse";

/** A mistake in building a graph: names the operator, the attribute and the shapes. */
export class GraphError extends Error {
  override readonly name = "GraphError";

  /**
   * @param subject "shapes" where the types of a node's operands do not fit its operator, "data" where those of its outputs depend on elements
   *   that are known at run time only.
   */
  constructor(
    message: string,
    readonly subject: "shapes" | "data" | "use" = "use",
  ) {
    super(message);
  }
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
  readonly names = new Names();
  readonly #values = new Map<string, Value>();
  readonly #shared = new Map<string, readonly Value[]>();
  readonly #constants = new Map<Tensor, Value>();
  readonly #arrays = new Arrays();
  #made = 0;
  #sweep: SweepDirection | undefined;
  #inside: ((operator: string) => string) | undefined;

  /** Every value by its names: its own, and those by which the file knows it as well. */
  get values(): ReadonlyMap<string, Value> {
    return this.#values;
  }

  /** A graph input. The name is the feed's name at run time. */
  input(name: string, type: DataType, shape: Shape): Value {
    if (this.names.has(name)) throw new GraphError(`The graph has a value named "${name}" already; give the input another name.`);
    if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0)) {
      throw new GraphError(
        `Input "${name}": shapes inside a graph are fixed whole numbers, not [${shape.join(", ")}]; specialize the model first.`,
      );
    }
    const value = this.#value(this.names.claim(name), type, shape, { kind: "input" });
    this.inputs.push(value);
    return value;
  }

  /**
   * A constant. What is one and the same `Tensor` object is shared, and so are small constants (up to 64 elements) that are no weights.
   *
   * @param role default: "weight" for a constant with a name, "computed" for one without.
   */
  constant(t: Tensor, name?: string, role: ConstantRole = name === undefined ? "computed" : "weight"): Value {
    const same = this.#constants.get(t);
    if (same) return same;
    const key =
      role === "computed" && sizeOf(t.shape) <= 64
        ? `const ${describe(t)} ${t.narrow ?? ""} ${Array.from(t.data as ArrayLike<unknown>, (v) => attributeKey(v))}`
        : undefined;
    const known = key && this.#shared.get(key);
    if (known) return known[0]!;
    const own = name === undefined ? this.names.fresh("constant") : this.names.claim(name);
    const value = this.#value(own, t.type, t.shape, { kind: "constant", tensor: t, role });
    this.#constants.set(t, value);
    if (key) this.#shared.set(key, [value]);
    return value;
  }

  /** Names a value as an output of the model. */
  output(name: string, value: Value): void {
    this.#own(value, () => `output "${name}"`);
    if (this.outputs.has(name)) throw new GraphError(`The graph has an output named "${name}" already.`);
    if (this.inputs.some((input) => input.name === name && input !== value))
      throw new GraphError(`The graph has an input named "${name}"; give the output another name.`);
    this.outputs.set(name, value);
  }

  /** Gives a value a further name to be found by; a name that stands for a value already goes on to do so. */
  alias(name: string, value: Value): void {
    this.#own(value, () => `"${name}"`);
    if (!this.#values.has(name)) this.#values.set(name, value);
  }

  /**
   * Adds a node; the operator builders (`conv`, `relu`, ...) are the usual way here.
   *
   * A shape rule may yield more outputs than are wanted: those exist too, for gradients to use.
   *
   * @throws GraphError when inputs or attributes do not fit the operator.
   */
  add(
    operator: Operator,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
    options: AddOptions = {},
  ): readonly Value[] {
    const { outputNames = [], captures = [] } = options;
    const name = options.name || (this.#inside?.(operator.name) ?? "");
    const label = (): string => {
      const made = name === "" ? outputNames.find(Boolean) : undefined;
      return `${nodeLabel({ operator, name })}${made === undefined ? "" : ` (which makes "${made}")`}`;
    };
    let subject: GraphError["subject"] = "use";
    const fail: Fail = (message, about = subject) => {
      const shapes = inputs
        .map((v, i) =>
          v ? `${(operator.inputs[i] ?? operator.inputs.at(-1) ?? "").replace(/[?.]/g, "")} ${describe(v)}` : undefined,
        )
        .filter(Boolean);
      throw new GraphError(`${label()}: ${message} (inputs: ${shapes.join(", ") || "none"}).`, about);
    };
    for (const v of inputs) if (v) this.#own(v, label);
    if (!options.types) checkArity(operator, inputs, fail);
    const complete = completeAttributes(operator, attributes, fail);
    const outputCount = options.outputCount ?? (outputNames.length || 1);
    const requested = options.requested ?? Array.from({ length: outputCount }, (_, i) => outputNames[i] !== "");

    const read = options.read ?? requested;
    const trimmed = [...inputs];
    while (trimmed.length > 0 && trimmed.at(-1) === undefined) trimmed.pop();
    const shared = sharedAs(operator);
    const key =
      shared &&
      `${shared} ${operator.decompose ? `${requested} ${read}` : requested} ${trimmed.map((v) => v?.id)} ${keyOfAttributes(complete, this.#arrays)}`;
    const known = key && this.#shared.get(key);
    if (known) return known;

    subject = "shapes";
    // Rules see undefined, not absence, for optional inputs that are left out.
    const context = () => ({ inputs: trimmed, attributes: complete, outputCount: requested.length, fail });
    const { decompose } = operator;
    const parts = decompose && fitting(() => decompose({ ...context(), graph: this, read, name }) as readonly Value[], fail);
    if (parts) {
      if (read.some((isRead, i) => isRead && requested[i] && !parts[i]))
        fail(`it has ${parts.length} outputs, ${requested.length} were asked for`);
      if (key) this.#shared.set(key, parts);
      return parts;
    }
    const types = options.types ?? inferred(operator, context());
    const outputs: Value[] = [];
    const node: Node = {
      operator,
      name,
      inputs: trimmed,
      outputs,
      attributes: complete,
      requested,
      captures,
      sweep: this.#sweep,
    };
    for (let index = 0; index < Math.max(requested.length, types.length); index++) {
      const type = types[index];
      if (!type) fail(`it has ${types.length} outputs, ${requested.length} were asked for`);
      const wanted = outputNames[index];
      const own = wanted ? this.names.claim(wanted) : this.names.fresh(name || operator.name.toLowerCase());
      outputs.push(this.#value(own, type!.type, type!.shape, { kind: "node", node, index }));
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

  /** Names the nodes that `build` adds and that have no name of their own after what they are parts of: `layer/MatMul`, `layer/MatMul_1`. */
  inside<T>(layer: string, build: () => T): T {
    const before = this.#inside;
    const counts = new Map<string, number>();
    this.#inside = (operator) => {
      const count = counts.get(operator) ?? 0;
      counts.set(operator, count + 1);
      return `${layer}/${operator}${count > 0 ? `_${count}` : ""}`;
    };
    try {
      return build();
    } finally {
      this.#inside = before;
    }
  }

  /** The model of everything that the outputs depend on; all inputs are kept, used or not. */
  build(): OnnxModel {
    return buildModel(this);
  }

  #value(name: string, type: DataType, shape: Shape, origin: Origin): Value {
    const value = new Value(this, name, type, [...shape], origin, this.#made++);
    this.#values.set(name, value);
    return value;
  }

  #own(value: Value, where: () => string): void {
    if (value.graph !== this)
      throw new GraphError(`${where()}: value "${value.name}" belongs to another graph; embed its graph in this one first.`);
  }
}

/** The types of a node's outputs by its operator's rule. */
function inferred(operator: Operator, context: InferContext): readonly ValueType[] {
  const types = fitting(() => operator.infer(context), context.fail);
  const odd = types.find(({ shape }) => !shape.every((d) => Number.isSafeInteger(d) && d >= 0));
  if (odd) context.fail(`its attributes make an output of the shape [${odd.shape.join(", ")}]`);
  const huge = types.find(({ type, shape }) => sizeOf(shape) * bytesPerElement(type) > addressable);
  return huge
    ? context.fail(`its output [${huge.shape.join(", ")}] is larger than any memory; check the sizes that it is given`)
    : types;
}

/** Bytes that a process can address on the processors that ONNX Runtime is built for: 47 bits. */
const addressable = 2 ** 47;

function fitting<T>(rule: () => T, fail: Fail): T {
  try {
    return rule();
  } catch (error) {
    // sizes that are no whole numbers, or below 0
    if (error instanceof RangeError) return fail(`its attributes and operands do not fit each other: ${error.message}`);
    throw error;
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

/**
 * The name under which equal nodes of an operator are one; undefined where each run draws anew, or where what they do stands in a subgraph.
 */
function sharedAs(operator: Operator): string | undefined {
  let name = sharedNames.get(operator);
  if (name === undefined) {
    const isShared =
      operator.domain !== "faultline" && !operator.random && !Object.values(operator.attributes).some((a) => a.kind === "graph");
    name = isShared ? `${operator.domain}.${operator.name}.${operator.opsets ?? ""}` : "";
    sharedNames.set(operator, name);
  }
  return name || undefined;
}

const sharedNames = new WeakMap<Operator, string>();
