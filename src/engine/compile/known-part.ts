import { lastValuesLine } from "../autodiff/obstacles.js";
import type { Graph, Value } from "../graph/graph.js";
import { ModelError, type OnnxNode } from "../onnx/model.js";
import { isFloat } from "../tensor/tensor.js";

/** A node of the file that was left out; `because` where its own shapes are unknown, undefined where it reads what such nodes make. */
export interface LeftOut {
  readonly node: OnnxNode;
  readonly because: string | undefined;
}

/** A model as far as its shapes are known. */
export interface KnownPart {
  /** Its outputs are `outputs`, and whatever nodes that were left out read. */
  readonly graph: Graph;
  /** The model's outputs that are known. */
  readonly outputs: readonly string[];
  /** Those that are not. */
  readonly unknownOutputs: readonly string[];
  readonly leftOut: readonly LeftOut[];
  /** The last values before the nodes that were left out that can be differentiated, by their names in the file. */
  readonly lastValues: readonly string[];
}

/** So many nodes are named in a sentence. */
const named = 3;

/** The shapes of a node's outputs depend on data, or on an operator that nobody knows. */
export class UnknownShapeError extends ModelError {
  static of({ leftOut, lastValues }: Pick<KnownPart, "leftOut" | "lastValues">): UnknownShapeError {
    const reasons = leftOut.flatMap(({ because }) => because ?? []);
    const what =
      reasons.length === 1
        ? reasons[0]!
        : `The shapes of what ${reasons.length} nodes make are not known: ${reasons.slice(0, named).join(" ")}${
            reasons.length > named ? ` And ${reasons.length - named} more, which inspect lists.` : ""
          }`;
    // what to type instead must be whole
    return new UnknownShapeError(`${what} ${lastValuesLine(reasons.length, lastValues)}`, 20_000);
  }
}

/** The floating-point values that nodes compute among the given ones; of a mask or an index, those that it was made from. */
export function floatsBehind(values: Iterable<Value>): Value[] {
  const found = new Set<Value>();
  const seen = new Set<Value>();
  const stack = [...values].reverse();
  for (let v = stack.pop(); v; v = stack.pop()) {
    if (seen.has(v) || v.constant || v.origin.kind === "input") continue;
    seen.add(v);
    if (isFloat(v.type)) found.add(v);
    else for (const input of v.node?.inputs ?? []) if (input) stack.push(input);
  }
  return [...found];
}
