import { Graph, GraphError, type Value, type ValueType } from "../graph/graph.js";
import { type Operator, opaqueOperator } from "../graph/operator.js";
import { namesRead, nodeTitle, subgraphs } from "../onnx/check.js";
import { ModelError, type OnnxGraph, type OnnxModel, type OnnxNode, type ValueInfo } from "../onnx/model.js";
import { findOperator } from "../operators/index.js";
import { isFloat, sizeOf, type Tensor, tensor } from "../tensor/tensor.js";
import { ConstantPart, type Evaluate, reasonOf } from "./constant-part.js";
import { controlFlow } from "./control-flow.js";

/** The names that are visible in a graph or subgraph. */
export class Scope {
  readonly values = new Map<string, Value>();
  constructor(
    readonly graph: OnnxGraph,
    readonly parent?: Scope,
  ) {}

  find(name: string): Value {
    const value = this.values.get(name) ?? this.parent?.find(name);
    if (!value) throw new ModelError(`The model refers to "${name}", which nothing in it computes.`);
    return value;
  }
}

/** Loops are unrolled until the graph has taken in this many nodes. */
const nodeLimit = 100_000;
/** Values that a shape rule is likely to ask for next: they are evaluated along with those it asks for now. */
export const smallSize = 64;

/** Operators without a shape rule of which a trial on zeros would tell a wrong shape. */
const dataDependent = new Set(["NonMaxSuppression"]);

export interface ImportSettings {
  /** Sizes of symbolic axes, as far as the given input shapes tell. */
  readonly axes: ReadonlyMap<string, number>;
  /** Inputs whose file leaves sizes open, which the caller has given. */
  readonly open: ReadonlySet<string>;
  readonly keep: "nothing" | "weights";
}

/**
 * Takes a file's nodes into a `Graph`, one after the other, with values for names. Types follow from those of the operands; constants are
 * evaluated when a rule asks for one. Control flow that constants decide is unfolded.
 */
export class Importer {
  readonly graph = new Graph();
  readonly constants: ConstantPart;
  /** What each name of the file stands for. Names defined again by each turn of a loop stand for those of the first. */
  readonly named = new Map<string, Value>();
  /** The first name of each value. */
  readonly nameOf = new Map<Value, string>();
  readonly #weights = new Set<Value>();
  readonly #initializers = new Map<Tensor, Value>();
  #nodeCount = 0;

  constructor(
    readonly model: OnnxModel,
    readonly evaluate: Evaluate,
    readonly settings: ImportSettings,
  ) {
    this.constants = new ConstantPart(this.graph, evaluate);
  }

  input(name: string, type: ValueType): Value {
    return this.#name(this.graph.input(name, type.type, type.shape), name);
  }

  /** Adds a graph or subgraph: its initializers, then those of its nodes that `outputs` need. Its inputs must be in the scope already. */
  async addGraph(scope: Scope, outputs: readonly string[] = scope.graph.outputs.map(({ name }) => name)): Promise<void> {
    for (const [name, t] of scope.graph.initializers) {
      scope.values.set(name, this.#initializer(name, t, scope.graph.constants?.has(name) ? "computed" : "weight"));
    }
    for (const node of neededNodes(scope.graph, outputs)) {
      this.count(node);
      const unfolded = node.domain === "" ? await controlFlow.get(node.op)?.(this, node, scope) : undefined;
      const values = unfolded ?? (await this.#add(node, scope));
      node.outputs.forEach((name, i) => {
        if (name !== "") scope.values.set(name, this.#name(values[i]!, name));
      });
    }
  }

  /** Whether the value is a weight, or made from weights and not evaluated. */
  carriesWeights(v: Value): boolean {
    if (this.#weights.has(v)) return true;
    if (!isFloat(v.type) || !this.constants.isPending(v)) return false;
    return v.node!.inputs.some((input) => input !== undefined && this.carriesWeights(input));
  }

  /** Counts a node of the file against the limit, loops included. */
  count(node: OnnxNode): void {
    if (++this.#nodeCount > nodeLimit) {
      throw new ModelError(
        `${nodeTitle(node)}: with its loops unrolled the model has more than ${nodeLimit} nodes; export it with fewer or shorter loops.`,
      );
    }
  }

  /** Weights have a value of their own, also where their numbers are equal; other tensors are shared. */
  #initializer(name: string, t: Tensor, role: "weight" | "computed"): Value {
    const known = this.#initializers.get(t);
    if (known) return this.#name(known, name);
    const weight = role === "weight" && isFloat(t.type);
    // a single number is shared as well where no gradient with respect to it is asked for: more equal nodes are found so
    const own = weight && (this.settings.keep === "weights" || sizeOf(t.shape) >= 2);
    const value = this.graph.constant(t, name, own ? "weight" : "computed");
    if (weight) this.#weights.add(value);
    this.#initializers.set(t, value);
    return this.#name(value, name);
  }

  #name(v: Value, name: string): Value {
    if (!this.nameOf.has(v)) this.nameOf.set(v, name);
    if (!this.named.has(name)) this.named.set(name, v);
    return v;
  }

  // ---- nodes ---------------------------------------------------------------------------------------------------------------------

  /** Adds a node whose names are looked up in `scope` and returns its outputs. */
  async #add(node: OnnxNode, scope: Scope): Promise<readonly Value[]> {
    const operands = node.inputs.map((name) => (name === "" ? undefined : scope.find(name)));
    const captures = namesRead({ ...node, inputs: [] });
    const captured = captures.map((name) => scope.find(name));
    const inputs = [...operands, ...captured];
    const operator =
      (captures.length === 0 ? findOperator(node.op, node.domain) : undefined) ??
      (await this.#opaque(node, inputs, captures, scope.graph));
    const attributes = attributesOf(node, operator);
    const add = () => this.graph.add(operator, inputs, attributes, { name: node.name, outputNames: node.outputs, captures });
    const outputs = await this.#attempt(inputs, add);
    return (await this.#simplified(outputs)) ?? outputs;
  }

  /**
   * Tries again with constants evaluated where a rule may have missed the elements of an operand, or of a value on the way where the node is
   * taken apart; weights keep their gradients if they can.
   */
  async #attempt<T>(inputs: readonly (Value | undefined)[], add: () => T): Promise<T> {
    const before = this.graph.nodes.length;
    for (;;) {
      try {
        return add();
      } catch (failure) {
        if (!(failure instanceof GraphError)) throw failure;
        const made = this.graph.nodes.slice(before).flatMap((n) => n.outputs);
        const missing = [...inputs, ...made].filter((v) => v !== undefined && this.constants.isPending(v)) as Value[];
        const weightless = missing.filter((v) => this.settings.keep === "nothing" || !this.carriesWeights(v));
        if (missing.length > 0) await this.#evaluate(weightless.length > 0 ? weightless : missing);
        else if (this.#followsFromShapes(inputs, failure))
          throw new ModelError(
            `${failure.message} This follows from the given input shapes; check them, or export the model again.`,
          );
        else throw new ModelError(failure.message);
      }
    }
  }

  /** Whether the node depends on an input of which the caller has given a size, and the mistake is one of shapes. */
  #followsFromShapes(inputs: readonly (Value | undefined)[], failure: GraphError): boolean {
    if (failure.subject !== "shapes") return false;
    const seen = new Set<Value>();
    const stack = inputs.filter((v) => v !== undefined);
    for (let v = stack.pop(); v; v = stack.pop()) {
      if (seen.has(v)) continue;
      seen.add(v);
      if (v.origin.kind === "input" && this.settings.open.has(v.name)) return true;
      for (const input of v.node?.inputs ?? []) if (input) stack.push(input);
    }
    return false;
  }

  /** What the outputs of a node are where it needs no node of its own. */
  async #simplified(outputs: readonly Value[]): Promise<readonly Value[] | undefined> {
    const node = outputs[0]?.node;
    const simplify = node?.operator.simplify;
    if (!node || !simplify) return undefined;
    const asked = new Set<Value>();
    const constantOf = (v: Value): Tensor | undefined => {
      if (this.constants.isPending(v)) asked.add(v);
      return v.constant;
    };
    const simplified = () => simplify({ inputs: node.inputs, outputs, attributes: node.attributes, constantOf });
    const result = simplified();
    if (asked.size === 0) return result;
    await this.#evaluate([...asked]);
    return simplified();
  }

  // ---- operators without a shape rule --------------------------------------------------------------------------------------------

  async #opaque(
    node: OnnxNode,
    inputs: readonly (Value | undefined)[],
    captures: readonly string[],
    described: OnnxGraph,
  ): Promise<Operator> {
    const attributes = Object.fromEntries(Object.entries(node.attributes).map(([name, { kind }]) => [name, { kind }]));
    const version = Object.hasOwn(this.model.customOpsets, node.domain) ? this.model.customOpsets[node.domain] : undefined;
    const of = (types: readonly ValueType[]): Operator =>
      opaqueOperator({ name: node.op, domain: node.domain, ...(version !== undefined && { version }), attributes, types });
    const stated = node.outputs.map((name) => {
      if (name === "") return leftOut;
      return this.#staticType(described.valueInfo.get(name) ?? described.outputs.find((o) => o.name === name));
    });
    if (stated.every((t) => t !== undefined)) return of(stated);
    if (dataDependent.has(node.op)) {
      throw new ModelError(
        `${nodeTitle(node)}: how many results it has depends on data, so the model has no fixed shapes; cut it off before this node.`,
      );
    }
    // a trial of this node alone on zeros
    await this.#evaluate(inputs.filter((v) => v !== undefined));
    const trial = new Graph();
    const operands = inputs.map((v) => v && trial.constant(v.constant ?? tensor(v.type, v.shape)));
    const unknown = of(node.outputs.map(() => leftOut));
    const results = trial.add(unknown, operands, attributesOf(node, unknown), { outputNames: node.outputs, captures });
    node.outputs.forEach((name, i) => {
      if (name !== "") trial.output(`output ${i}`, results[i]!);
    });
    const computed = await this.evaluate(trial).catch((error: unknown) => {
      throw new ModelError(
        `${nodeTitle(node)}: Faultline has no shape rule for it, the file does not state its shapes, and a trial on zeros failed (${reasonOf(error)}).`,
      );
    });
    return of(node.outputs.map((_, i) => computed[`output ${i}`] ?? leftOut));
  }

  #staticType(info: ValueInfo | undefined): ValueType | undefined {
    if (!info?.shape) return undefined;
    const shape = info.shape.map((d) => (typeof d === "number" ? d : this.settings.axes.get(d)));
    return shape.every((d) => d !== undefined) ? { type: info.type, shape } : undefined;
  }

  /** Evaluates the values, and with them small ones that carry no weights and are likely to be asked for next. */
  async #evaluate(values: readonly Value[]): Promise<void> {
    if (!values.some((v) => this.constants.isPending(v))) return;
    const likely = [...this.nameOf.keys()].filter(
      (v) => sizeOf(v.shape) <= smallSize && this.constants.isPending(v) && !this.carriesWeights(v),
    );
    await this.constants.evaluate([...values, ...likely]);
  }
}

/** Stands for the type of an output that is left out. */
const leftOut: ValueType = { type: "float32", shape: [] };

/**
 * A node's attributes as its operator takes them.
 *
 * @throws ModelError where one is of another kind than the operator's.
 */
function attributesOf(node: OnnxNode, operator: Operator): Record<string, unknown> {
  for (const [name, { kind }] of Object.entries(node.attributes)) {
    const expected = Object.hasOwn(operator.attributes, name) ? operator.attributes[name]!.kind : kind;
    if (kind !== expected)
      throw new ModelError(
        `${nodeTitle(node)}: its attribute ${name} is of the kind ${kind}, where ONNX has ${expected}; export the model again.`,
      );
  }
  return Object.fromEntries(Object.entries(node.attributes).map(([name, a]) => [name, a.value]));
}

/** The nodes of a file's graph that the named values need; what else there is may be of any kind and is not looked at. */
function neededNodes(graph: OnnxGraph, names: readonly string[]): readonly OnnxNode[] {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const needed = new Set<OnnxNode>();
  const stack = [...names];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    const maker = name === "" ? undefined : makers.get(name);
    if (!maker || needed.has(maker)) continue;
    needed.add(maker);
    for (const read of [...maker.inputs, ...subgraphs(maker).flatMap(() => namesRead({ ...maker, inputs: [] }))])
      stack.push(read);
  }
  return graph.nodes.filter((node) => needed.has(node));
}
