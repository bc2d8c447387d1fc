import type { Value } from "../graph/graph.js";
import { ModelError, type OnnxGraph } from "../onnx/model.js";

/** The names that are visible in a file's graph or subgraph. */
export class Scope {
  readonly values = new Map<string, Value>();
  constructor(
    readonly graph: OnnxGraph,
    readonly parent?: Pick<Scope, "find">,
  ) {}

  find(name: string): Value {
    const value = this.values.get(name) ?? this.parent?.find(name);
    if (!value) throw new ModelError(`The model refers to "${name}", which nothing in it computes.`);
    return value;
  }
}
