import type { Evaluate } from "../../engine/compile/specialise.js";
import type { OnnxModel, OnnxNode } from "../../engine/onnx/model.js";
import { isFloat, type Shape, type Tensor } from "../../engine/tensor/tensor.js";

/** The part of a static model that depends on initializers alone: weights and what is computed from them. */
export class ConstantPart {
  readonly #makers = new Map<string, OnnxNode>();

  constructor(readonly model: OnnxModel) {
    for (const node of model.graph.nodes) {
      if (node.inputs.length === 0 || !node.inputs.every((name) => name === "" || this.isConstant(name))) continue;
      if (node.op.startsWith("Random")) continue;
      for (const name of node.outputs) this.#makers.set(name, node);
    }
  }

  isConstant(name: string): boolean {
    return this.model.graph.initializers.has(name) || this.#makers.has(name);
  }

  isFloat(name: string): boolean {
    const type =
      this.model.graph.initializers.get(name)?.type ??
      (this.#makers.has(name) ? this.model.graph.valueInfo.get(name)?.type : undefined);
    return type !== undefined && isFloat(type);
  }

  shapeOf(name: string): Shape | undefined {
    return (
      this.model.graph.initializers.get(name)?.shape ??
      (this.#makers.has(name) ? (this.model.graph.valueInfo.get(name)?.shape as Shape) : undefined)
    );
  }

  /** The tensor of the file behind a value: itself, or what it is the transpose, cast or copy of; else the value's own name. */
  sourceOf(name: string): { readonly name: string; readonly transposed: boolean } {
    let transposed = false;
    for (let at = name; ; ) {
      const maker = this.#makers.get(at);
      if (!maker) return { name: at, transposed };
      if (maker.op === "Transpose" && this.shapeOf(at)?.length === 2) {
        const perm = maker.attributes.perm?.value as readonly number[] | undefined;
        if (!perm || perm[0] === 1) transposed = !transposed;
      } else if (maker.op !== "Identity" && maker.op !== "Cast" && maker.op !== "Reshape") return { name, transposed: false };
      at = maker.inputs[0]!;
    }
  }

  /** The tensors of constant values, those that are computed evaluated in one session. */
  async evaluate(names: readonly string[], evaluate: Evaluate): Promise<Map<string, Tensor>> {
    const { graph } = this.model;
    const values = new Map<string, Tensor>();
    const wanted = new Set<string>();
    for (const name of names) {
      const stored = graph.initializers.get(name);
      if (stored) values.set(name, stored);
      else wanted.add(name);
    }
    if (wanted.size === 0) return values;
    const needed = new Set<OnnxNode>();
    const initializers = new Map<string, Tensor>();
    const stack = [...wanted];
    for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
      const stored = graph.initializers.get(name);
      if (stored) initializers.set(name, stored);
      const maker = this.#makers.get(name);
      if (!maker || needed.has(maker)) continue;
      needed.add(maker);
      stack.push(...maker.inputs.filter((input) => input !== ""));
    }
    const results = await evaluate({
      ...this.model,
      graph: {
        ...graph,
        inputs: [],
        initializers,
        nodes: graph.nodes.filter((node) => needed.has(node)),
        outputs: [...wanted].map((name) => graph.valueInfo.get(name)!),
      },
    });
    for (const name of wanted) values.set(name, results[name]!);
    return values;
  }
}
