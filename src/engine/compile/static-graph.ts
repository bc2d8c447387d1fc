import { writtenAttributes } from "../graph/build.js";
import { attributesOf } from "../graph/embed.js";
import { Graph, GraphError, type Node, type Value, type ValueType } from "../graph/graph.js";
import { type Operator, opaqueOperator } from "../graph/operator.js";
import { namesRead, nodeTitle, subgraphs } from "../onnx/check.js";
import { canonicalOpset, ModelError, type OnnxGraph, type OnnxModel, type OnnxNode, type ValueInfo } from "../onnx/model.js";
import { findOperator } from "../operators/index.js";
import { bytesPerElement, isFloat, sizeOf, type Tensor, tensor } from "../tensor/tensor.js";

/** Runs a model that has no inputs and yields its outputs by name. */
export type Evaluate = (model: OnnxModel) => Promise<Record<string, Tensor>>;

/** A node of the static graph, with values for names. */
export interface StaticNode {
  readonly node: OnnxNode;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** What its subgraphs take from outside, by the name they use. */
  readonly captures: ReadonlyMap<string, Value>;
}

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

/** A folded tensor may not exceed this many bytes; what would is left as nodes. */
const foldLimit = 256 * 2 ** 20;
/** Loops are unrolled until the graph has taken in this many nodes. */
const nodeLimit = 100_000;
/** Values that a shape rule is likely to ask for next: they are evaluated along with those it asks for now. */
const smallSize = 64;

const random = new Set(["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"]);

/** Operators without a shape rule of which a trial on zeros would tell a wrong shape. */
const dataDependent = new Set(["NonMaxSuppression"]);

/**
 * A model whose every value has a fixed type, as it grows node by node. A `Graph` infers types and shares equal nodes. Nodes with constant
 * inputs are constant themselves; ONNX Runtime evaluates them in batches, only when a shape rule asks for one or at the end.
 */
export class StaticGraph {
  readonly graph = new Graph();
  readonly nodes: StaticNode[] = [];
  readonly makers = new Map<Value, StaticNode>();
  /** Float initializers of the file. */
  readonly weights = new Set<Value>();
  readonly #names = new Map<Value, string>();
  /** Names that values bear, and names that the file uses: made-up names keep clear of both. */
  readonly #given = new Set<string>();
  readonly #inFile = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #nodeNames = new Set<string>();
  readonly #initializers = new Map<Tensor, Value>();
  /** Constant, but not evaluated yet. */
  readonly #unevaluated = new Set<Value>();
  readonly #evaluated = new Map<Value, Value>();
  #nodeCount = 0;

  constructor(
    readonly model: OnnxModel,
    readonly evaluate: Evaluate,
    /** Sizes of symbolic axes, as far as the given input shapes tell. */
    readonly axes: ReadonlyMap<string, number>,
    readonly keep: "nothing" | "weights",
  ) {
    const reserve = (graph: OnnxGraph): void => {
      for (const node of graph.nodes) {
        for (const name of node.outputs) this.#inFile.add(name);
        for (const inner of subgraphs(node)) reserve(inner);
      }
      for (const name of graph.initializers.keys()) this.#inFile.add(name);
      for (const { name } of graph.inputs) this.#inFile.add(name);
    };
    reserve(model.graph);
  }

  // ---- values --------------------------------------------------------------------------------------------------------------------

  input(name: string, type: ValueType): Value {
    const value = this.graph.input(name, type.type, type.shape);
    this.#name(value, name);
    return value;
  }

  /** A tensor of the file. Weights have a value of their own, also where their numbers are equal; other tensors are shared. */
  initializer(name: string, t: Tensor, role: "weight" | "constant"): Value {
    const known = this.#initializers.get(t);
    if (known) return known;
    const weight = role === "weight" && isFloat(t.type);
    // a single number is shared as well where no gradient with respect to it is asked for: more equal nodes are found so
    const value =
      weight && (this.keep === "weights" || sizeOf(t.shape) >= 2) ? this.graph.constant(t, name) : this.graph.constant(t);
    if (weight) this.weights.add(value);
    this.#initializers.set(t, value);
    this.#name(value, name);
    return value;
  }

  constant(t: Tensor): Value {
    const value = this.graph.constant(t);
    if (!this.#names.has(value)) this.#name(value, this.uniqueName("constant"));
    return value;
  }

  /** The value, or the constant that it was found to be. */
  resolve(v: Value): Value {
    return this.#evaluated.get(v) ?? v;
  }

  isConstant(v: Value): boolean {
    return v.constant !== undefined || this.#unevaluated.has(v) || this.#evaluated.has(v);
  }

  nameOf(v: Value): string {
    return this.#names.get(v) ?? this.#name(v, this.uniqueName(v.name));
  }

  isNamed(v: Value): boolean {
    return this.#names.has(v);
  }

  /** A name that neither the file nor a value bears. */
  uniqueName(base: string): string {
    for (;;) {
      const count = this.#counts.get(base) ?? 0;
      const name = count === 0 ? base : `${base}_${count}`;
      if (!this.#inFile.has(name) && !this.#given.has(name)) return name;
      this.#counts.set(base, count + 1);
    }
  }

  /** Gives a value without a name the wanted one, or one like it where the wanted one is taken (unrolled loops). */
  #name(v: Value, wanted: string): string {
    const known = this.#names.get(v);
    if (known !== undefined) return known;
    const name = this.#given.has(wanted) ? this.uniqueName(wanted) : wanted;
    this.#given.add(name);
    this.#names.set(v, name);
    return name;
  }

  /** Whether the value is made from weights alone and has not been evaluated. */
  carriesWeights(v: Value): boolean {
    if (this.weights.has(v)) return true;
    if (!isFloat(v.type) || !this.#unevaluated.has(v)) return false;
    return this.makers.get(v)!.inputs.some((input) => input !== undefined && this.carriesWeights(input));
  }

  // ---- nodes ---------------------------------------------------------------------------------------------------------------------

  /** Counts a node of the file against the limit, loops included. */
  count(node: OnnxNode): void {
    if (++this.#nodeCount > nodeLimit) {
      throw new ModelError(
        `${nodeTitle(node)}: with its loops unrolled the model has more than ${nodeLimit} nodes; export it with fewer or shorter loops.`,
      );
    }
  }

  /** Adds a node whose names are looked up in `scope` and returns its outputs. */
  async add(node: OnnxNode, scope: Scope): Promise<readonly Value[]> {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : scope.find(name)));
    const captured = namesRead({ ...node, inputs: [] });
    const captures = new Map(captured.map((name) => [name, scope.find(name)]));
    return this.addNode(node, inputs, captures, scope.graph);
  }

  async addNode(
    node: OnnxNode,
    operands: readonly (Value | undefined)[],
    captures: ReadonlyMap<string, Value> = new Map(),
    described?: OnnxGraph,
  ): Promise<readonly Value[]> {
    const inputs = () => operands.map((v) => v && this.resolve(v));
    const before = this.graph.nodes.length;
    const operator = captures.size === 0 ? findOperator(node.op, node.domain) : undefined;
    const outputs = operator
      ? await this.#addKnown(operator, node, inputs)
      : this.#addOpaque(node, inputs(), captures, await this.#opaqueTypes(node, inputs(), captures, described));
    for (const added of this.graph.nodes.slice(before)) this.#made(added, operator?.decompose ? partOf(added) : node, captures);
    // an output that nothing has asked for yet stays without a name, and is not written
    outputs.forEach((v, i) => {
      if (node.outputs[i]) this.#name(v, node.outputs[i]);
    });
    return outputs.map((v) => this.resolve(v));
  }

  /** Takes a node of the graph into the model, in the form in which it stands in the file, or as what an operator was taken apart to. */
  #made(added: Node, written: OnnxNode, captures: ReadonlyMap<string, Value>): void {
    // ONNX Runtime refuses two nodes of one name, so copies from unrolled loops bear none
    const name = this.#nodeNames.has(written.name) ? "" : written.name;
    if (name !== "") this.#nodeNames.add(name);
    // what an opaque node captures is among its operands in the graph
    const inputs = added.inputs.slice(0, added.inputs.length - captures.size);
    // between the parts of an operator lie values that the file does not name
    for (const v of inputs) if (v?.node) this.nameOf(v);
    const made: StaticNode = { node: { ...written, name }, inputs, outputs: added.outputs, captures };
    this.nodes.push(made);
    for (const v of made.outputs) this.makers.set(v, made);
    const constant =
      captures.size === 0 &&
      subgraphs(written).length === 0 &&
      !(written.domain === "" && random.has(written.op)) &&
      inputs.every((v) => v === undefined || this.isConstant(v));
    const fits = made.outputs.every((v) => sizeOf(v.shape) * bytesPerElement(v.type) <= foldLimit);
    if (constant && fits) for (const v of made.outputs) this.#unevaluated.add(v);
  }

  async #addKnown(operator: Operator, node: OnnxNode, inputs: () => readonly (Value | undefined)[]): Promise<readonly Value[]> {
    const add = () =>
      this.graph.add(operator, inputs(), attributesOf(node), {
        outputCount: node.outputs.length,
        name: node.name,
        outputNames: node.outputs,
      });
    let failure: unknown;
    try {
      return add();
    } catch (error) {
      failure = error;
    }
    // a rule may have missed the elements of an operand that is constant but not evaluated yet; weights keep their gradients if they can
    const missing = inputs().filter((v) => v !== undefined && this.#unevaluated.has(v)) as Value[];
    const kept = missing.filter((v) => this.keep === "weights" && this.carriesWeights(v));
    for (const values of [missing.filter((v) => !kept.includes(v)), kept]) {
      if (!(failure instanceof GraphError)) throw failure;
      if (values.length === 0) continue;
      await this.evaluateConstants([...values, ...this.#likelyNext()]);
      try {
        return add();
      } catch (error) {
        failure = error;
      }
    }
    if (!(failure instanceof GraphError)) throw failure;
    throw new ModelError(`${failure.message} This follows from the given input shapes; check them, or export the model again.`);
  }

  #addOpaque(
    node: OnnxNode,
    inputs: readonly (Value | undefined)[],
    captures: ReadonlyMap<string, Value>,
    types: readonly ValueType[],
  ): readonly Value[] {
    const schema = Object.fromEntries(Object.entries(node.attributes).map(([name, { kind }]) => [name, { kind }]));
    const operator = opaqueOperator(node.op, node.domain, schema, types);
    // captured values are part of what the node reads: as operands here they keep apart nodes that differ in them alone
    return this.graph.add(operator, [...inputs, ...captures.values()], attributesOf(node), {
      outputCount: node.outputs.length,
      name: node.name,
      outputNames: node.outputs,
    });
  }

  /** Types of the outputs of an operator without a shape rule: from the file, or from a trial of this node alone on zeros. */
  async #opaqueTypes(
    node: OnnxNode,
    inputs: readonly (Value | undefined)[],
    captures: ReadonlyMap<string, Value>,
    described: OnnxGraph | undefined,
  ): Promise<readonly ValueType[]> {
    const stated = node.outputs.map((name) => {
      if (name === "") return { type: "float32" as const, shape: [] };
      return this.#staticType(described?.valueInfo.get(name) ?? described?.outputs.find((o) => o.name === name));
    });
    if (stated.every((t) => t !== undefined)) return stated;
    if (dataDependent.has(node.op)) {
      throw new ModelError(
        `${nodeTitle(node)}: how many results it has depends on data, so the model has no fixed shapes; cut it off before this node.`,
      );
    }
    await this.evaluateConstants([...inputs, ...captures.values()].filter((v) => v !== undefined));
    const initializers = new Map<string, Tensor>();
    const read = (v: Value): string => {
      const known = this.resolve(v);
      initializers.set(this.nameOf(known), known.constant ?? tensor(known.type, known.shape));
      return this.nameOf(known);
    };
    const trial = this.write({ node, inputs, outputs: [], captures }, node.outputs, read);
    const outputs = node.outputs
      .filter((name) => name !== "")
      .map((name) => ({ name, type: "float32", shape: undefined }) as const);
    const results = await this.evaluate(
      this.modelOf({ inputs: [], outputs, initializers, nodes: [trial], valueInfo: new Map() }),
    ).catch((error: unknown) => {
      throw new ModelError(
        `${nodeTitle(node)}: Faultline has no shape rule for it, the file does not state its shapes, and a trial on zeros failed (${reasonOf(error)}).`,
      );
    });
    return node.outputs.map((name) => results[name] ?? { type: "float32", shape: [] });
  }

  #staticType(info: ValueInfo | undefined): ValueType | undefined {
    if (!info?.shape) return undefined;
    const shape = info.shape.map((d) => (typeof d === "number" ? d : this.axes.get(d)));
    return shape.every((d) => d !== undefined) ? { type: info.type, shape } : undefined;
  }

  // ---- evaluation ----------------------------------------------------------------------------------------------------------------

  /** Small values without weights that are not evaluated yet. */
  #likelyNext(): Value[] {
    return [...this.#unevaluated].filter((v) => this.isNamed(v) && sizeOf(v.shape) <= smallSize && !this.carriesWeights(v));
  }

  /** Evaluates constant values in one session; afterwards `resolve` yields constants for them. */
  async evaluateConstants(values: readonly Value[]): Promise<void> {
    const missing = [...new Set(values)].filter((v) => this.#unevaluated.has(v));
    if (missing.length === 0) return;
    const roots = new Set(missing.map((v) => this.makers.get(v)!));
    const results = await this.#run(roots);
    for (const root of roots) {
      for (const v of root.outputs) {
        const t = results[this.nameOf(v)];
        if (!t) continue;
        const folded = this.graph.constant(t);
        if (!this.#names.has(folded)) this.#names.set(folded, this.nameOf(v)); // takes the place of v, hence its name
        this.#evaluated.set(v, folded);
        this.#unevaluated.delete(v);
      }
    }
  }

  /** The tensor of a constant value; evaluates it where needed. */
  async tensorOf(v: Value): Promise<Tensor | undefined> {
    await this.evaluateConstants([v]);
    return this.resolve(v).constant;
  }

  /** Runs the given constant nodes and all they depend on. */
  async #run(roots: ReadonlySet<StaticNode>): Promise<Record<string, Tensor>> {
    const initializers = new Map<string, Tensor>();
    const read = (v: Value): string => {
      const known = this.resolve(v);
      if (known.constant) initializers.set(this.nameOf(known), known.constant);
      return this.nameOf(known);
    };
    const needed = this.neededBy(roots);
    const outputs: ValueInfo[] = [];
    const nodes = this.nodes.flatMap((made) => {
      if (!needed.has(made)) return [];
      const names = this.outputNames(made);
      if (roots.has(made)) {
        names.forEach((name, i) => {
          if (name !== "") outputs.push({ name, type: made.outputs[i]!.type, shape: made.outputs[i]!.shape });
        });
      }
      return this.write(made, names, read);
    });
    const constants = this.modelOf({ inputs: [], outputs, initializers, nodes, valueInfo: new Map() });
    return this.evaluate(constants).catch((error: unknown) => {
      const titles = [...roots].slice(0, 3).map(({ node }) => nodeTitle(node));
      throw new ModelError(`ONNX Runtime cannot evaluate the model's constants (${titles.join(", ")} ...): ${reasonOf(error)}`);
    });
  }

  outputNames(made: StaticNode): string[] {
    const names = made.outputs.map((v) => (this.isNamed(v) ? this.nameOf(v) : ""));
    while (names.at(-1) === "") names.pop();
    return names;
  }

  /** The node as it stands in a file; `read` yields the name of a value and is told which are read. */
  write({ node, inputs, captures }: StaticNode, outputs: readonly string[], read: (v: Value) => string): OnnxNode {
    const renamed = new Map([...captures].map(([name, v]) => [name, read(v)]));
    return {
      ...node,
      inputs: inputs.map((v) => (v ? read(v) : "")),
      outputs,
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([key, a]) => [
          key,
          a.kind === "graph" ? { ...a, value: renameCaptures(a.value, renamed) } : a,
        ]),
      ),
    };
  }

  /** The given nodes and all that they depend on; evaluated constants end the search. */
  neededBy(roots: Iterable<StaticNode>): Set<StaticNode> {
    const needed = new Set<StaticNode>();
    const stack = [...roots];
    for (let made = stack.pop(); made; made = stack.pop()) {
      if (needed.has(made)) continue;
      needed.add(made);
      for (const v of [...made.inputs, ...made.captures.values()]) {
        const maker = v && this.makers.get(this.resolve(v));
        if (maker) stack.push(maker);
      }
    }
    return needed;
  }

  modelOf(graph: Omit<OnnxGraph, "name">): OnnxModel {
    return {
      irVersion: this.model.irVersion,
      opset: canonicalOpset,
      customOpsets: this.model.customOpsets,
      producer: this.model.producer,
      metadata: this.model.metadata,
      graph: { name: this.model.graph.name, ...graph },
    };
  }
}

/** A node that an operator was taken apart to, as a file has it. */
const partOf = (node: Node): OnnxNode => ({
  name: node.name,
  op: node.operator.name,
  domain: node.operator.domain,
  inputs: [],
  outputs: [],
  attributes: writtenAttributes(node),
});

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n")[0]!;

/** Gives the names that a subgraph takes from outside their new form; names that it defines itself win. */
function renameCaptures(graph: OnnxGraph, names: ReadonlyMap<string, string>): OnnxGraph {
  const own = new Set([
    ...graph.inputs.map((i) => i.name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((n) => n.outputs),
  ]);
  const visible = new Map([...names].filter(([name]) => !own.has(name)));
  const rename = (name: string): string => visible.get(name) ?? name;
  return {
    ...graph,
    outputs: graph.outputs.map((o) => ({ ...o, name: rename(o.name) })),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([key, a]) => [
          key,
          a.kind === "graph" ? { ...a, value: renameCaptures(a.value, visible) } : a,
        ]),
      ),
    })),
  };
}
