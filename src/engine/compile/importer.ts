import { copyNodes, neededNodes } from "../graph/copy.js";
import { Graph, GraphError, type Value, type ValueType } from "../graph/graph.js";
import { type Operator, opaqueOperator } from "../graph/operator.js";
import { namesRead, nodeTitle, subgraphs } from "../onnx/check.js";
import { ModelError, type OnnxGraph, type OnnxModel, type OnnxNode, type ValueInfo } from "../onnx/model.js";
import { reserveNames } from "../onnx/names.js";
import { findOperator } from "../operators/index.js";
import { operatorsWithoutDefinition } from "../operators/without-definition.js";
import { isFloat, sizeOf, type Tensor, tensor } from "../tensor/tensor.js";
import { hasBodies, importBodies } from "./bodies.js";
import { bodyGradients } from "./body-gradients.js";
import { ConstantPart, type Evaluate, reasonOf } from "./constant-part.js";
import { controlFlow } from "./control-flow.js";
import { foldable } from "./fold-constants.js";
import { type LeftOut, UnknownShapeError } from "./known-part.js";
import { followLists } from "./lists.js";
import type { Scope } from "./scope.js";

/** Operator sets that are written for one processor, and what to do instead. */
const unreadable: ReadonlyMap<string, string> = new Map(
  ["com.microsoft.nchwc", "com.ms.internal.nhwc"].map((domain) => [
    domain,
    'is in a layout that ONNX Runtime makes for the processor at hand (optimization level "all"); save the optimized model at level "extended"',
  ]),
);

/** Loops are unrolled until the graph has taken in this many nodes. */
const nodeLimit = 100_000;
/** Values that a shape rule is likely to ask for next: they are evaluated along with those it asks for now. */
export const smallSize = 64;

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
  /** Nodes whose shapes are unknown, and all that read what they make. */
  readonly leftOut: LeftOut[] = [];
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

  /** Adds a graph or subgraph: its initializers, then those of its nodes that its outputs need. Its inputs must be in the scope already. */
  async addGraph(scope: Scope): Promise<void> {
    const outputs = scope.graph.outputs.map(({ name }) => name);
    for (const [name, t] of scope.graph.initializers) {
      scope.values.set(name, this.#initializer(name, t));
    }
    const nodes = nodesFor(scope.graph, outputs);
    const read = new Set([...outputs, ...nodes.flatMap(namesRead)]);
    const unknown = new Set<string>();
    for (const node of nodes) {
      const values = await this.#known(node, scope, read, unknown);
      node.outputs.forEach((name, i) => {
        const value = values?.[i];
        if (name !== "" && value) scope.define(name, "graph" in value ? this.#name(value, name) : value);
        if (!values) unknown.add(name);
      });
    }
  }

  /** The outputs of a node; undefined where it is left out. */
  async #known(
    node: OnnxNode,
    scope: Scope,
    read: ReadonlySet<string>,
    unknown: ReadonlySet<string>,
  ): Promise<readonly (Value | readonly Value[] | undefined)[] | undefined> {
    if (namesRead(node).some((name) => unknown.has(name))) {
      this.leftOut.push({ node, because: undefined });
      return undefined;
    }
    this.count(node);
    try {
      const unfolded = node.domain === "" ? await controlFlow.get(node.op)?.(this, node, scope) : undefined;
      return unfolded ?? (await followLists(this, node, scope)) ?? (await this.#add(node, scope, read));
    } catch (error) {
      // inside a loop or branch, it is the whole of that which is left out
      if (!(error instanceof UnknownShapeError) || scope.parent) throw error;
      this.leftOut.push({ node, because: error.message });
      return undefined;
    }
  }

  /** For a subgraph: of the same file, into a graph of its own. */
  nested(): Importer {
    return new Importer(this.model, this.evaluate, { ...this.settings, keep: "nothing" });
  }

  /** What the outputs need, in a graph of its own, with constants in the place of what can be computed ahead. */
  async finish(outputs: ReadonlyMap<string, Value>): Promise<Graph> {
    const stays = (v: Value) => this.settings.keep === "weights" && this.carriesWeights(v);
    await this.constants.evaluate(foldable(this.constants, [...outputs.values()], stays));
    const target = new Graph();
    reserveNames(this.model.graph, target.names);
    const moved = new Map(this.graph.inputs.map((v) => [v, target.input(v.name, v.type, v.shape)]));
    const move = copyNodes(neededNodes(outputs.values()), target, moved, {
      nameOf: (v) => this.nameOf.get(v) ?? target.names.fresh(v.name),
    });
    for (const [name, v] of outputs) target.output(name, move(v));
    for (const [name, v] of this.named) {
      const value = moved.get(v);
      if (value) target.alias(name, value);
    }
    return target;
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
  #initializer(name: string, t: Tensor): Value {
    const known = this.#initializers.get(t);
    if (known) return this.#name(known, name);
    const weight = isFloat(t.type);
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
  async #add(node: OnnxNode, scope: Scope, read: ReadonlySet<string>): Promise<readonly (Value | undefined)[]> {
    const operands = node.inputs.map((name) => (name === "" ? undefined : scope.find(name)));
    const because = unreadable.get(node.domain);
    if (because) throw new ModelError(`${nodeTitle(node)} ${because}.`);
    const known = findOperator(node.op, node.domain, node.domain === "" ? this.model.opset : undefined);
    if (!known) return this.#addOpaque(node, operands, scope);
    const inputs = operands;
    const attributes = attributesOf(node, known);
    const options = { name: node.name, outputNames: node.outputs, read: node.outputs.map((name) => read.has(name)) };
    const add = () => this.graph.add(known, inputs, attributes, options);
    const outputs = await this.#attempt(inputs, add).catch((error: unknown) => {
      const computed = error instanceof UnknownShapeError ? known.computed?.({ inputs, attributes }) : undefined;
      if (!computed) throw error;
      return computed;
    });
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
        else throw failure.subject === "data" ? new UnknownShapeError(failure.message) : new ModelError(failure.message);
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
  async #simplified(outputs: readonly (Value | undefined)[]): Promise<readonly Value[] | undefined> {
    const node = outputs[0]?.node;
    const simplify = node?.operator.simplify;
    if (!node || !simplify || outputs.some((v, i) => v && v !== node.outputs[i])) return undefined;
    const asked = new Set<Value>();
    const constantOf = (v: Value): Tensor | undefined => {
      if (this.constants.isPending(v)) asked.add(v);
      return v.constant;
    };
    const simplified = () => simplify({ inputs: node.inputs, outputs: node.outputs, attributes: node.attributes, constantOf });
    const result = simplified();
    if (asked.size === 0) return result;
    await this.#evaluate([...asked]);
    return simplified();
  }

  // ---- operators without a shape rule --------------------------------------------------------------------------------------------

  async #addOpaque(node: OnnxNode, operands: readonly (Value | undefined)[], scope: Scope): Promise<readonly Value[]> {
    const bodies = hasBodies(node) ? await importBodies(this, node, scope, operands) : undefined;
    const captures = [...(bodies?.captures.keys() ?? [])];
    const inputs = [...operands, ...(bodies?.captures.values() ?? [])];
    const plain = Object.entries(node.attributes).map(([name, { value }]) => [name, value] as const);
    const attributes = { ...Object.fromEntries(plain), ...bodies?.attributes };
    const options = { name: node.name, outputNames: node.outputs, captures };
    const gradient = node.domain === "" && bodies ? bodyGradients.get(node.op)?.(captures) : undefined;
    const operator = (types: readonly ValueType[]): Operator => ({ ...this.#opaque(node, types), ...(gradient && { gradient }) });
    const stated = node.outputs.map((name, i) => {
      if (name === "") return leftOut;
      const told = bodies?.outputs[i];
      if (told && !("because" in told)) return told;
      const { valueInfo, outputs } = scope.graph;
      const type = this.#staticType(valueInfo.get(name) ?? outputs.find((o) => o.name === name));
      return type && (told?.allows(type) ?? true) ? type : undefined;
    });
    if (stated.every((t) => t !== undefined)) return this.graph.add(operator(stated), inputs, attributes, options);
    const untold = bodies?.outputs[stated.indexOf(undefined)];
    // zeros may go another way than data
    if (untold && "because" in untold) throw new UnknownShapeError(`${nodeTitle(node)}: ${untold.because}.`);
    // a trial of this node alone on zeros
    await this.#evaluate(inputs.filter((v) => v !== undefined));
    const trial = new Graph();
    const zeros = inputs.map((v) => v && trial.constant(v.constant ?? tensor(v.type, v.shape)));
    const results = trial.add(operator(node.outputs.map(() => leftOut)), zeros, attributes, options);
    node.outputs.forEach((name, i) => {
      if (name !== "") trial.output(`output ${i}`, results[i]!);
    });
    const reason =
      node.domain === "" && Object.hasOwn(operatorsWithoutDefinition, node.op) ? operatorsWithoutDefinition[node.op] : undefined;
    const computed = await this.evaluate(trial).catch((error: unknown) => {
      throw new UnknownShapeError(
        reason !== undefined
          ? `${nodeTitle(node)}: ${reason}.`
          : `${nodeTitle(node)}: Faultline has no shape rule for it, the file does not state its shapes, and a trial on zeros failed (${reasonOf(error)}).`,
      );
    });
    const types = node.outputs.map((_, i) => computed[`output ${i}`] ?? leftOut);
    return this.graph.add(operator(types), inputs, attributes, options);
  }

  #opaque({ op, domain, attributes }: OnnxNode, types: readonly ValueType[]): Operator {
    const { customOpsets } = this.model;
    const version = Object.hasOwn(customOpsets, domain) ? customOpsets[domain] : undefined;
    return opaqueOperator({
      name: op,
      domain,
      ...(version !== undefined && { version }),
      attributes: Object.fromEntries(Object.entries(attributes).map(([name, { kind }]) => [name, { kind }])),
      types,
    });
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
function nodesFor(graph: OnnxGraph, names: readonly string[]): readonly OnnxNode[] {
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
