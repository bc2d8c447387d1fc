import { copyNodes, neededNodes } from "../graph/copy.js";
import { Graph, type Node, type Value } from "../graph/graph.js";
import { nodeLabel } from "../graph/operator.js";
import { ModelError } from "../onnx/model.js";
import { bytesPerElement, sizeOf, type Tensor } from "../tensor/tensor.js";

/** Runs a graph that has no inputs and yields its outputs by name. `engine.evaluate` is one. */
export type Evaluate = (graph: Graph) => Promise<Readonly<Record<string, Tensor>>>;

/** A value that takes more bytes is not computed ahead: it stays with the nodes that make it. */
const largest = 256 * 2 ** 20;

/**
 * The values of a graph that depend on constants alone. They are evaluated by ONNX Runtime, several in one session, when somebody asks for
 * them; the graph may go on growing meanwhile.
 */
export class ConstantPart {
  readonly #nodes = new Set<Node>();
  #seen = 0;

  constructor(
    readonly graph: Graph,
    readonly evaluateGraph: Evaluate,
  ) {}

  has(v: Value): boolean {
    if (v.constant) return true;
    for (; this.#seen < this.graph.nodes.length; this.#seen++) {
      const node = this.graph.nodes[this.#seen]!;
      if (this.#isConstant(node)) this.#nodes.add(node);
    }
    return v.node !== undefined && this.#nodes.has(v.node);
  }

  #isConstant({ operator, inputs, outputs, captures }: Node): boolean {
    if (operator.random || captures.length > 0) return false;
    if (Object.values(operator.attributes).some((a) => a.kind === "graph")) return false;
    return (
      inputs.every((v) => !v || v.constant || (v.node && this.#nodes.has(v.node))) && outputs.every((v) => bytesOf(v) <= largest)
    );
  }

  /** Constant, but not evaluated. */
  isPending(v: Value): boolean {
    return !v.constant && this.has(v);
  }

  /** Evaluates those of the values that are constant: they become constants. */
  async evaluate(values: Iterable<Value>): Promise<void> {
    const missing = [...new Set(values)].filter((v) => this.isPending(v));
    if (missing.length === 0) return;
    const part = new Graph();
    const move = copyNodes(neededNodes(missing), part, new Map());
    missing.forEach((v, i) => {
      part.output(`value ${i}`, move(v));
    });
    const results = await this.evaluateGraph(part).catch((error: unknown) => {
      const titles = missing.slice(0, 3).map((v) => nodeLabel(v.node!));
      throw new ModelError(`ONNX Runtime cannot evaluate the model's constants (${titles.join(", ")} ...): ${reasonOf(error)}`);
    });
    missing.forEach((v, i) => {
      v.becomeConstant(results[`value ${i}`]!);
    });
  }

  /** The tensor of a value, where it is constant. */
  async tensorOf(v: Value): Promise<Tensor | undefined> {
    await this.evaluate([v]);
    return v.constant;
  }
}

export const bytesOf = (v: Pick<Value, "type" | "shape">): number => sizeOf(v.shape) * bytesPerElement(v.type);

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
