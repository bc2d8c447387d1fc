import type { Value } from "../graph/graph.js";
import { ModelError, type OnnxGraph } from "../onnx/model.js";

/** The names that are visible in a file's graph or subgraph. */
export class Scope {
  readonly values = new Map<string, Value>();
  /** Lists of tensors (see `followLists`). */
  readonly lists = new Map<string, readonly Value[]>();
  constructor(
    readonly graph: OnnxGraph,
    readonly parent?: Pick<Scope, "find"> & Partial<Pick<Scope, "findList">>,
  ) {}

  findList(name: string): readonly Value[] | undefined {
    return this.lists.get(name) ?? this.parent?.findList?.(name);
  }

  /** A value or a list. */
  entry(name: string): Value | readonly Value[] {
    return this.findList(name) ?? this.find(name);
  }

  define(name: string, entry: Value | readonly Value[]): void {
    if ("graph" in entry) this.values.set(name, entry);
    else this.lists.set(name, entry);
  }

  find(name: string): Value {
    const value = this.values.get(name) ?? this.parent?.find(name);
    if (!value && this.findList(name))
      throw new ModelError(`"${name}" is a list of tensors, and Faultline gives and takes tensors only; name an entry of it.`);
    if (!value) throw new ModelError(`The model refers to "${name}", which nothing in it computes.`);
    return value;
  }
}
