import type { DataType, Tensor } from "../../tensor/tensor.js";
import { namesRead } from "../check.js";
import type { OnnxGraph, OnnxNode } from "../model.js";
import { Names } from "../names.js";
import { inferRanks, inferTypes } from "./infer.js";
import { withoutUnread } from "./unread.js";

/** One graph while it is rewritten, within the graphs around it: what is known of its values, and what became of its nodes. */
export class Scope {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: Map<string, Tensor>;
  private readonly constants: Set<string>;
  private readonly types = new Map<string, DataType>();
  private readonly ranks = new Map<string, number>();
  private readonly nodeNames = new Names();
  private readonly read = new Set<string>();

  /** `taken` holds every name of the model, shared by all its graphs. */
  constructor(
    private readonly graph: OnnxGraph,
    private readonly taken: Names,
    private readonly outer?: Scope,
  ) {
    this.initializers = new Map(graph.initializers);
    this.constants = new Set(graph.constants);
    for (const { name, type, shape, typing } of [...graph.valueInfo.values(), ...graph.inputs, ...graph.outputs]) {
      if (typing === "inferred") continue;
      this.types.set(name, type);
      if (shape !== undefined) this.ranks.set(name, shape.length);
    }
    for (const [name, { type, shape }] of graph.initializers) {
      this.types.set(name, type);
      this.ranks.set(name, shape.length);
    }
    for (const node of graph.nodes) for (const name of namesRead(node)) this.read.add(name);
    for (const output of graph.outputs) this.read.add(output.name);
  }

  push(node: OnnxNode): void {
    this.nodes.push(this.uniquelyNamed(node));
    for (const [i, type] of inferTypes(node, this).entries()) {
      const name = node.outputs[i]!;
      if (type !== undefined && !this.types.has(name)) this.types.set(name, type);
    }
    for (const [i, rank] of inferRanks(node, this).entries()) {
      const name = node.outputs[i]!;
      if (rank !== undefined && !this.ranks.has(name)) this.ranks.set(name, rank);
    }
  }

  /** ONNX Runtime refuses two nodes of one name; what a node is rewritten to, or a function called twice, would have it. */
  private uniquelyNamed(node: OnnxNode): OnnxNode {
    if (node.name === "") return node;
    const name = this.nodeNames.claim(node.name);
    return name === node.name ? node : { ...node, name };
  }

  /** Undefined where the file does not tell and no rule finds out. */
  type(name: string): DataType | undefined {
    return this.types.get(name) ?? this.outer?.type(name);
  }

  rank(name: string): number | undefined {
    return this.ranks.get(name) ?? this.outer?.rank(name);
  }

  /** The value of a constant; undefined for what is computed, or for the default of an input. */
  valueOf(name: string): Tensor | undefined {
    const own = this.initializers.get(name);
    if (own === undefined) return this.outer?.valueOf(name);
    return this.graph.inputs.some((input) => input.name === name) ? undefined : own;
  }

  isRead(name: string): boolean {
    return this.read.has(name);
  }

  fresh(hint: string): string {
    return this.taken.fresh(hint);
  }

  addInitializer(hint: string, value: Tensor): string {
    const name = this.fresh(hint);
    this.define(name, value);
    return name;
  }

  /** Makes a value that a node had made a constant. */
  define(name: string, value: Tensor): void {
    this.initializers.set(name, value);
    this.constants.add(name);
    this.types.set(name, value.type);
    this.ranks.set(name, value.shape.length);
  }

  /** The graph as rewritten. */
  build(): OnnxGraph {
    return withoutUnread({ ...this.graph, initializers: this.initializers, constants: this.constants, nodes: this.nodes });
  }
}
